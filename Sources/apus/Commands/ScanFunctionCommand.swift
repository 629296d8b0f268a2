import ApusFunctions
import ApusGraph
import ArgumentParser
import CApusGuard
import Foundation

/// `apus scan-function`: the child that loads a library and tries a function.
///
/// Not for users.
struct ScanFunctionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan-function",
        abstract: "Load a library and try a function in this process.",
        shouldDisplay: false
    )

    @Argument(help: "What to try, as JSON.")
    var request: String

    func run() throws {
        apus_guard_install_crash_report()
        let request = try JSONDecoder().decode(
            FunctionTrialRequest.self,
            from: Data(self.request.utf8)
        )
        do {
            let description = FunctionDescription(
                library: request.library,
                symbol: request.symbol,
                signature: try FunctionSignatureParser.parse(request.signature),
                arguments: [],
                use: .filter,
                isPure: request.isPure,
                location: SourceLocation(line: 1, column: 1)
            )
            let function = try BoundFunction(
                description,
                path: request.path,
                disk: World().disk
            )
            let calls = try FunctionTrial(function) { Console.note(FunctionScan.trying + $0) }
                .run(request.rows)
            let report = FunctionTrialReport(tier: function.tier.rawValue, calls: calls)
            let json = try JSONEncoder().encode(report)
            try Console.print(
                "\n" + FunctionTrialReport.marker + String(decoding: json, as: UTF8.self)
            )
        } catch let error as FunctionError {
            Console.error(error.description)
            throw ExitStatus.invalid
        }
    }
}
