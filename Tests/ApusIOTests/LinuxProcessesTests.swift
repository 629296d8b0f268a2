import ApusCore
import Glibc
import Testing

@testable import ApusIO

/// A child must never keep us waiting, whatever it does, and always be told apart by its end.
@Suite("LinuxProcesses")
struct LinuxProcessesTests {
    static func shell(_ script: String, milliseconds: Int32 = 10_000) throws -> ProcessResult {
        try LinuxProcesses().run(
            "/bin/sh",
            arguments: ["sh", "-c", script],
            timeoutMilliseconds: milliseconds
        )
    }

    @Test("tells output, error output and status")
    func tellsOutputAndStatus() throws {
        let result = try Self.shell("echo out; echo err >&2; exit 3")
        #expect(result.end == .exited(3))
        #expect(result.output == Array("out\n".utf8))
        #expect(result.errorOutput == Array("err\n".utf8))
    }

    @Test("tells the signal", arguments: [SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGPIPE])
    func tellsTheSignal(number: Int32) throws {
        // Ignored signals would stay ignored in the child if nobody cared.
        signal(SIGPIPE, SIG_IGN)
        #expect(try Self.shell("kill -\(number) $$").end == .signalled(number))
    }

    @Test("names signals")
    func namesSignals() {
        #expect(SignalName.of(SIGSEGV) == "SIGSEGV")
        #expect(SignalName.of(99) == "signal 99")
    }

    @Test(
        "kills a child whose time is up, whatever it does with its output",
        arguments: ["exec sleep 100", "exec >&- 2>&-; exec sleep 100", "while :; do echo x; done"]
    )
    func killsAChildWhoseTimeIsUp(script: String) throws {
        let start = LinuxClock().monotonicNanoseconds()
        let result = try Self.shell(script, milliseconds: 300)
        let elapsed = LinuxClock().monotonicNanoseconds() - start
        #expect(result.end == .timedOut)
        #expect(elapsed >= 300_000_000 && elapsed < 5_000_000_000)
    }

    @Test("does not wait for what a child leaves behind")
    func doesNotWaitForWhatAChildLeavesBehind() throws {
        let result = try Self.shell("sleep 5 & echo done")
        #expect(result.end == .exited(0))
        #expect(result.output == Array("done\n".utf8))
    }

    @Test("keeps so much output and no more")
    func keepsSoMuchOutput() throws {
        let result = try Self.shell("head -c 20000000 /dev/zero; head -c 2000000 /dev/zero >&2")
        #expect(result.end == .exited(0))
        #expect(result.output.count == 16 << 20)
        #expect(result.errorOutput.count == 1 << 20)
    }

    @Test("gives the child an empty input, our environment and no other files")
    func givesTheChildItsSurroundings() throws {
        let folder = try TemporaryFolder()
        let writing = try LinuxDisk().openForWriting(folder.file("ours"), appending: false)
        let reading = try LinuxDisk().openForReading(folder.file("ours"))
        let result = try Self.shell("cat; test -n \"$PATH\" && ls -l /proc/self/fd")
        #expect(result.end == .exited(0))
        let text = String(decoding: result.output, as: UTF8.self)
        #expect(text.contains("/dev/null"))
        #expect(!text.contains("/ours"))
        #expect(reading.isStillThere())
        try writing.close()
    }

    @Test("a program that is not there is an error")
    func aProgramThatIsNotThereIsAnError() {
        #expect {
            try LinuxProcesses().run("/none", arguments: [], timeoutMilliseconds: 1)
        } throws: { error in "\(error)" == "cannot start /none: No such file or directory" }
    }

    @Test("runs this very program")
    func runsThisVeryProgram() throws {
        let result = try LinuxProcesses().runSelf(
            arguments: ["--help"],
            timeoutMilliseconds: 20_000
        )
        guard case .exited = result.end else {
            Issue.record("\(result.end)")
            return
        }
    }
}
