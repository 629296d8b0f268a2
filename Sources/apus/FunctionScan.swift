import ApusCore
import ApusFunctions
import ApusGraph
import ApusIO
import Foundation

/// What a child process is asked to try.
struct FunctionTrialRequest: Codable {
    var library: String
    /// With a slash, or as the dynamic linker looks for it.
    var path: String
    var symbol: String
    var signature: String
    var isPure: Bool
    var rows: [[String]]
}

/// What a child process has found out about a function.
struct FunctionTrialReport: Codable {
    /// Before the report on its line of standard output, to which the function may write as well.
    static let marker = "apus-function-report:"

    var tier: String
    var calls: [FunctionTrial.Call]

    /// The report for people who read the plan.
    var details: [String] {
        guard !calls.isEmpty else { return ["called by \(tier), not tried"] }
        let texts = calls.map { "\($0.call) = \($0.result)" }
        return ["called by \(tier); tried: \(texts.joined(separator: ", "))"]
    }
}

/// Has a child process load a library and try a function, so that nothing that happens there can
/// harm this one.
struct FunctionScan {
    /// What begins the line that names a call which is about to be made.
    static let trying = "trying: "

    let world: World

    private static let timeoutMilliseconds: Int32 = 5_000

    /// Tries a function.
    ///
    /// - Parameters:
    ///   - function: The function.
    ///   - path: Its library's path, or the name that the dynamic linker looks for.
    /// - Returns: How it is called, and what the calls returned.
    /// - Throws: ``FunctionError`` that says what is wrong.
    func trial(
        _ function: FunctionDescription,
        path: String
    ) throws(FunctionError) -> FunctionTrialReport {
        let request = FunctionTrialRequest(
            library: function.library,
            path: path,
            symbol: function.symbol,
            signature: function.signature.text,
            isPure: function.isPure,
            rows: function.trialRows
        )
        let name = "function \(function.name)"
        let result: ProcessResult
        do {
            let json = try JSONEncoder().encode(request)
            result = try world.processes.runSelf(
                arguments: ["scan-function", String(decoding: json, as: UTF8.self)],
                timeoutMilliseconds: Self.timeoutMilliseconds
            )
        } catch {
            throw FunctionError(name, "cannot start a process to try it: \(error)")
        }
        return try report(function, result)
    }

    private func report(
        _ function: FunctionDescription,
        _ result: ProcessResult
    ) throws(FunctionError) -> FunctionTrialReport {
        let name = "function \(function.name)"
        let lines = String(decoding: result.errorOutput, as: UTF8.self).split(separator: "\n")
        let tried = lines.last { $0.hasPrefix(Self.trying) }?.dropFirst(Self.trying.count)
        let place = tried.map { "in the trial call \($0)" } ?? "while its library was loaded"
        let crash = lines.last { $0.hasPrefix("apus: crash: ") }
            .map { line in
                let text = line.dropFirst("apus: crash: ".count)
                return text.range(of: " in function ").map { text[..<$0.lowerBound] } ?? text
            }
        let advice = tried == nil ? "" : Self.advice(function)
        switch result.end {
        case .exited(0):
            if let report = Self.decode(result.output) { return report }
            throw FunctionError(name, "ended the process \(place)\(advice)")
        case .exited:
            if let crash { throw FunctionError(name, "\(crash) \(place)\(advice)") }
            let prefix = "error: \(name): "
            let error = lines.last { $0.hasPrefix(prefix) }?.dropFirst(prefix.count)
            throw FunctionError(
                name,
                error.map(String.init) ?? "ended the process \(place)\(advice)"
            )
        case .signalled(let number):
            let signal = crash.map(String.init) ?? SignalName.of(number)
            throw FunctionError(name, "crashed \(place): \(signal)\(advice)")
        case .timedOut:
            throw FunctionError(
                name,
                "did not return within \(Self.timeoutMilliseconds / 1000) s \(place)\(advice)"
            )
        }
    }

    private static func advice(_ function: FunctionDescription) -> String {
        "; is \(function.signature.text) what its declaration says? Parameters that are missing "
            + "hold wild values in a trial. If it does not take such values, give others under "
            + "'samples'"
    }

    private static func decode(_ output: [UInt8]) -> FunctionTrialReport? {
        let text = String(decoding: output, as: UTF8.self)
        guard let marker = text.range(of: FunctionTrialReport.marker, options: .backwards) else {
            return nil
        }
        let json = text[marker.upperBound...].prefix { $0 != "\n" }
        let data = Data(json.utf8)
        return try? JSONDecoder().decode(FunctionTrialReport.self, from: data)  // Not ours, then.
    }
}
