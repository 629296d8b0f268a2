import ApusBench
import ApusPluginHost
import Foundation

extension BenchCommand {
    private static let loadRoundCount = 1000
    /// How much resident memory may grow in the second half of the rounds.
    private static let growthMax = 0.01

    /// Loads and unloads a plugin again and again.
    func measureLoading(_ file: String) throws {
        let world = World()
        let result: LoadBenchmarkResult
        do throws(PluginError) {
            result = try LoadBenchmark(
                file: file,
                roundCount: max(2, runs ?? Self.loadRoundCount),
                loader: world.loader,
                clock: world.clock
            ).measure()
        } catch {
            Console.error(error.description)
            throw ExitStatus.invalid
        }
        try show(result, text: text(result))
        guard result.growth <= Self.growthMax else { throw ExitStatus.failed }
    }

    private func text(_ result: LoadBenchmarkResult) -> String {
        let lines = result.looks.map { look in
            "  after \(look.round) rounds: \(look.residentBytes >> 10) KiB resident, "
                + "\(look.descriptors) open files, \(look.threads) threads, "
                + "\(look.mappings) mappings"
        }
        let hundredths = Int((result.growth * 10_000).rounded())
        let head =
            "load: \(result.rounds) rounds, \(result.loadNanoseconds / 1000) us to load, "
            + "\(result.unloadNanoseconds / 1000) us to unload (medians); resident memory grew by "
            + "\(hundredths < 0 ? "-" : "")\(abs(hundredths) / 100)."
            + "\(abs(hundredths) % 100 < 10 ? "0" : "")\(abs(hundredths) % 100) % in the second "
            + "half"
        return ([head] + lines).joined(separator: "\n")
    }
}
