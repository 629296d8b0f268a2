import ApusGraph
import Testing

@testable import ApusJobFile

/// How long callbacks of plugins may take.
@Suite("Job file: limits for callbacks")
struct CallLimitTests {
    @Test("are read")
    func areRead() throws {
        let limits = try DurableSample.read(overrides: []).get().job.callLimits
        #expect(limits.timeoutMicroseconds == 10_000_000)
        #expect(limits.warningMicroseconds == 500_000)
        #expect(limits.graceMicroseconds == 1_000_000)
    }

    @Test("have defaults, and a grace within bounds")
    func haveDefaults() throws {
        let limits = try JobFileSample.read(JobFileSample.text).get().job.callLimits
        #expect(limits == CallLimits())
        #expect(limits.timeoutMicroseconds == 30_000_000)
        #expect(limits.graceMicroseconds == 3_000_000)
        var other = CallLimits()
        other.timeoutMicroseconds = 86_400_000_000
        #expect(other.graceMicroseconds == 5_000_000)
        other.timeoutMicroseconds = 100_000
        #expect(other.graceMicroseconds == 100_000)
    }

    @Test("never means never")
    func neverMeansNever() throws {
        let limits = try DurableSample.read(overrides: [
            ("spec.plugins.call-timeout", "never"), ("spec.plugins.call-warning", "never"),
        ]).get().job.callLimits
        #expect(limits.timeoutMicroseconds == nil)
        #expect(limits.warningMicroseconds == nil)
    }

    @Test("are reported with place, expectation and remedy when they are wrong", arguments: cases)
    func areReportedWhenTheyAreWrong(mistake: Mistake) {
        let result = DurableSample.read(replacing: mistake.old, with: mistake.new)
        #expect(result.errorLines.joined(separator: "\n") == mistake.text)
    }

    /// Each changes one place of the sample.
    static let cases = [
        Mistake(
            "plugins that are no mapping",
            "plugins: { call-timeout: 10s, call-warning: 500ms }",
            "plugins: 10s",
            """
            job.yaml:17:12: spec.plugins: the string '10s'; expected a mapping
            """
        ),
        Mistake(
            "an unknown key of plugins",
            "call-timeout: 10s",
            "call-timout: 10s",
            """
            job.yaml:17:14: spec.plugins: unknown key 'call-timout'; expected one of call-timeout, \
            call-warning; did you mean 'call-timeout'?
            """
        ),
        Mistake(
            "a call-timeout without unit",
            "call-timeout: 10s",
            "call-timeout: 10",
            """
            job.yaml:17:28: spec.plugins.call-timeout: the number '10'; expected a duration from \
            100ms to 1d, such as 30s, or 'never'; add a unit, for example '10ms' or '10s'
            """
        ),
        Mistake(
            "a call-timeout below the range",
            "call-timeout: 10s",
            "call-timeout: 99ms",
            """
            job.yaml:17:28: spec.plugins.call-timeout: the string '99ms'; expected a duration \
            from 100ms to 1d, such as 30s, or 'never'
            """
        ),
        Mistake(
            "a call-timeout above the range",
            "call-timeout: 10s",
            "call-timeout: 25h",
            """
            job.yaml:17:28: spec.plugins.call-timeout: the string '25h'; expected a duration from \
            100ms to 1d, such as 30s, or 'never'
            """
        ),
        Mistake(
            "a call-warning that is a misspelt word",
            "call-warning: 500ms",
            "call-warning: nevr",
            """
            job.yaml:17:47: spec.plugins.call-warning: the string 'nevr'; expected a duration \
            from 100ms to 1d, such as 1s, or 'never'; did you mean 'never'?
            """
        ),
    ]
}
