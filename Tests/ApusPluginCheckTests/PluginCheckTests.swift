import ApusPluginCheck
import ApusTestPlugins
import Testing

/// Goal: the checks can be used as a library, from the outside.
///
/// Method: the public functions alone, on the sound plugin and on one with a fault that crashes
/// nothing.
@Suite("Plugin checks as a library")
struct PluginCheckTests {
    private let folder: TestFolder

    init() throws {
        folder = try TestFolder()
    }

    func check(fault: String?) throws -> PluginCheck {
        var check = PluginCheck(
            file: try TestPlugin.faulty(fault),
            folder: folder.file("images")
        )
        check.settings.seed = 5
        return check
    }

    // In processes of their own: checks look at what is the process's, and so do other tests.

    @Test("a sound plugin passes")
    func aSoundPluginPasses() async {
        await #expect(processExitsWith: .success) {
            let report = try PluginCheckTests().check(fault: nil).run()
            #expect(report.isGood, "\(report.results.filter(\.isBad))")
            #expect(report.passedCount > 25, "\(report.summary)")
            // What would change this process is left out.
            #expect(!report.results.contains { $0.check == "H85" || $0.check == "D46m" })
        }
    }

    @Test("a fault is found, with the seed to find it again")
    func aFaultIsFound() async {
        await #expect(processExitsWith: .success) {
            var check = try PluginCheckTests().check(fault: "E55")
            check.only = ["E55", "E48"]
            let report = check.run()
            #expect(!report.isGood)
            let bad = try #require(report.results.first { $0.check == "E55" })
            #expect(bad.verdict == .fail && bad.seed == 5, "\(bad)")
            #expect(bad.component == "tally")
            #expect(report.results.first { $0.check == "E48" }?.verdict == .pass)
            #expect(report.summary == "1 passed, 0 warned, 1 failed, 0 skipped")
        }
    }

    @Test("a file that is not there fails, and ends nothing")
    func aMissingFileFails() {
        let report = PluginCheck(file: "no-such-file.so", folder: folder.file("images")).run()
        let load = report.results.first { $0.check == "B15" }
        #expect(load?.verdict == .fail)
        #expect(load?.message.contains("no-such-file.so") == true)
        #expect(report.passedCount == 0)
    }
}
