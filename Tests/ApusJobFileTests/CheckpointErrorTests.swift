import Testing

@testable import ApusJobFile

/// What is wrong with `spec.checkpoint`.
@Suite("Job file: mistakes in checkpoints")
struct CheckpointErrorTests {
    @Test("are reported with place, expectation and remedy", arguments: cases)
    func areReportedWithPlaceExpectationAndRemedy(mistake: Mistake) {
        let result = DurableSample.read(
            replacing: mistake.old,
            with: mistake.new,
            environment: ["SECRET": "hunter2"]
        )
        #expect(result.errorLines.joined(separator: "\n") == mistake.text)
    }

    /// Each changes one place of the sample.
    static let cases = [
        Mistake(
            "checkpoint that is no mapping",
            DurableSample.checkpoint,
            "  checkpoint: data/checkpoints",
            """
            job.yaml:5:15: spec.checkpoint: the string 'data/checkpoints'; expected a mapping
            """
        ),
        Mistake(
            "checkpoint without values",
            DurableSample.checkpoint,
            "  checkpoint:",
            """
            job.yaml:5:14: spec.checkpoint: nothing; expected a mapping
            """
        ),
        Mistake(
            "a misspelt checkpoint",
            "  checkpoint:",
            "  chekpoint:",
            """
            job.yaml:5:3: spec: unknown key 'chekpoint'; expected one of parallelism, \
            max-parallelism, buffer-timeout, errors, checkpoint, state, memory, plugins, \
            delivery, secrets, sources, operators, sinks; did you mean 'checkpoint'?
            job.yaml:14:21: spec.state.backend: 'rocksdb' without 'checkpoint'; expected 'memory', \
            because in this version the local database is there for checkpoints alone; or add \
            'checkpoint:' to 'spec:'
            job.yaml:16:13: spec.delivery: 'exactly-once' without 'checkpoint'; expected \
            'at-least-once', because output is delivered exactly once only with the checkpoint \
            that holds it; or add 'checkpoint:' to 'spec:'
            """
        ),
        Mistake(
            "no checkpoint dir",
            "    dir: data/checkpoints\n",
            "",
            """
            job.yaml:6:5: spec.checkpoint: no 'dir'; expected the folder for the checkpoints of \
            this job
            """
        ),
        Mistake(
            "an empty checkpoint dir",
            "dir: data/checkpoints",
            "dir: \"\"",
            """
            job.yaml:6:10: spec.checkpoint.dir: an empty string; expected the folder for the \
            checkpoints of this job
            """
        ),
        Mistake(
            "a checkpoint dir that is a number",
            "dir: data/checkpoints",
            "dir: 7",
            """
            job.yaml:6:10: spec.checkpoint.dir: the number '7'; expected the folder for the \
            checkpoints of this job; put it in quotes
            """
        ),
        Mistake(
            "an unknown key of checkpoint",
            "min-pause: 2s",
            "min-pauze: 2s",
            """
            job.yaml:8:5: spec.checkpoint: unknown key 'min-pauze'; expected one of dir, \
            interval, min-pause, timeout, tolerable-failures, alignment-timeout, retain, \
            io-limit; did you mean 'min-pause'?
            """
        ),
        Mistake(
            "an interval without unit",
            "interval: 10s",
            "interval: 10",
            """
            job.yaml:7:15: spec.checkpoint.interval: the number '10'; expected a duration from \
            100ms to 1d, such as 10s; add a unit, for example '10ms' or '10s'
            """
        ),
        Mistake(
            "an interval with an unknown unit",
            "interval: 10s",
            "interval: 10sec",
            """
            job.yaml:7:15: spec.checkpoint.interval: the string '10sec'; expected a duration \
            from 100ms to 1d, such as 10s; there is no unit 'sec', only us, ms, s, m, h and d
            """
        ),
        Mistake(
            "an interval below the range",
            "interval: 10s",
            "interval: 99ms",
            """
            job.yaml:7:15: spec.checkpoint.interval: the string '99ms'; expected a duration from \
            100ms to 1d, such as 10s
            """
        ),
        Mistake(
            "an interval above the range",
            "interval: 10s",
            "interval: 25h",
            """
            job.yaml:7:15: spec.checkpoint.interval: the string '25h'; expected a duration from \
            100ms to 1d, such as 10s
            """
        ),
        Mistake(
            "an interval that is a list",
            "interval: 10s",
            "interval: [10s]",
            """
            job.yaml:7:15: spec.checkpoint.interval: a list; expected a duration from 100ms to \
            1d, such as 10s
            """
        ),
        Mistake(
            "a min-pause with a fraction",
            "min-pause: 2s",
            "min-pause: 0.5s",
            """
            job.yaml:8:16: spec.checkpoint.min-pause: the string '0.5s'; expected a duration \
            from 0s to 1d, such as 5s; write whole numbers with a smaller unit, such as 1500ms
            """
        ),
        Mistake(
            "a min-pause above the range",
            "min-pause: 2s",
            "min-pause: 2d",
            """
            job.yaml:8:16: spec.checkpoint.min-pause: the string '2d'; expected a duration from \
            0s to 1d, such as 5s
            """
        ),
        Mistake(
            "a timeout of zero",
            "timeout: 5m\n",
            "timeout: 0s\n",
            """
            job.yaml:9:14: spec.checkpoint.timeout: the string '0s'; expected a duration from \
            100ms to 1d, such as 10m
            """
        ),
        Mistake(
            "tolerable-failures below zero",
            "tolerable-failures: 10",
            "tolerable-failures: -1",
            """
            job.yaml:10:25: spec.checkpoint.tolerable-failures: the number '-1'; expected an \
            integer of at least 0, or 'unlimited'
            """
        ),
        Mistake(
            "tolerable-failures with a misspelt word",
            "tolerable-failures: 10",
            "tolerable-failures: unlimted",
            """
            job.yaml:10:25: spec.checkpoint.tolerable-failures: the string 'unlimted'; expected \
            an integer of at least 0, or 'unlimited'; did you mean 'unlimited'?
            """
        ),
        Mistake(
            "tolerable-failures that is a list",
            "tolerable-failures: 10",
            "tolerable-failures: [1]",
            """
            job.yaml:10:25: spec.checkpoint.tolerable-failures: a list; expected an integer of \
            at least 0, or 'unlimited'
            """
        ),
        Mistake(
            "tolerable-failures with a fraction",
            "tolerable-failures: 10",
            "tolerable-failures: 1.5",
            """
            job.yaml:10:25: spec.checkpoint.tolerable-failures: the number '1.5'; expected an \
            integer of at least 0, or 'unlimited'
            """
        ),
        Mistake(
            "an alignment-timeout without unit",
            "alignment-timeout: 500ms",
            "alignment-timeout: 500",
            """
            job.yaml:11:24: spec.checkpoint.alignment-timeout: the number '500'; expected a \
            duration from 0s to 1d, such as 1s, or 'never'; add a unit, for example '500ms' or \
            '500s'
            """
        ),
        Mistake(
            "an alignment-timeout with a misspelt word",
            "alignment-timeout: 500ms",
            "alignment-timeout: nevr",
            """
            job.yaml:11:24: spec.checkpoint.alignment-timeout: the string 'nevr'; expected a \
            duration from 0s to 1d, such as 1s, or 'never'; did you mean 'never'?
            """
        ),
        Mistake(
            "an alignment-timeout that cannot come",
            "alignment-timeout: 500ms",
            "alignment-timeout: 5m",
            """
            job.yaml:11:24: spec.checkpoint.alignment-timeout: no less than 'timeout', after \
            which an attempt is abandoned; expected less, or 'never'
            """
        ),
        Mistake(
            "retain of one",
            "retain: 3",
            "retain: 1",
            """
            job.yaml:12:13: spec.checkpoint.retain: the number '1'; expected an integer from 2 \
            to 1000
            """
        ),
        Mistake(
            "retain above the range",
            "retain: 3",
            "retain: 1001",
            """
            job.yaml:12:13: spec.checkpoint.retain: the number '1001'; expected an integer from \
            2 to 1000
            """
        ),
        Mistake(
            "retain with a unit",
            "retain: 3",
            "retain: 3d",
            """
            job.yaml:12:13: spec.checkpoint.retain: the string '3d'; expected an integer from 2 \
            to 1000
            """
        ),
        Mistake(
            "an io-limit without period",
            "io-limit: 100MB/s",
            "io-limit: 100MB",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the string '100MB'; expected a rate of at \
            least 1KB/s, such as 100MB/s, or 'unlimited'; say how much per second: '100MB/s'
            """
        ),
        Mistake(
            "an io-limit per minute",
            "io-limit: 100MB/s",
            "io-limit: 100MB/m",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the string '100MB/m'; expected a rate of \
            at least 1KB/s, such as 100MB/s, or 'unlimited'; there is no rate per 'm', only per \
            second: '/s'
            """
        ),
        Mistake(
            "an io-limit without unit",
            "io-limit: 100MB/s",
            "io-limit: 100/s",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the string '100/s'; expected a rate of at \
            least 1KB/s, such as 100MB/s, or 'unlimited'; add a unit, for example '100MB/s' or \
            '100MiB/s'
            """
        ),
        Mistake(
            "an io-limit that is a number",
            "io-limit: 100MB/s",
            "io-limit: 100000000",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the number '100000000'; expected a rate of \
            at least 1KB/s, such as 100MB/s, or 'unlimited'; add a unit: in bytes it is \
            '100MB/s'
            """
        ),
        Mistake(
            "an io-limit with an unknown unit",
            "io-limit: 100MB/s",
            "io-limit: 100Mbit/s",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the string '100Mbit/s'; expected a rate of \
            at least 1KB/s, such as 100MB/s, or 'unlimited'; there is no unit 'Mbit', only B, \
            KB, MB, GB (powers of 1000), KiB, MiB and GiB (powers of 1024)
            """
        ),
        Mistake(
            "an io-limit in small letters",
            "io-limit: 100MB/s",
            "io-limit: 100mb/s",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the string '100mb/s'; expected a rate of \
            at least 1KB/s, such as 100MB/s, or 'unlimited'; there is no unit 'mb', only B, KB, \
            MB, GB (powers of 1000), KiB, MiB and GiB (powers of 1024); did you mean '100MB/s'?
            """
        ),
        Mistake(
            "an io-limit below the range",
            "io-limit: 100MB/s",
            "io-limit: 999B/s",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the string '999B/s'; expected a rate of at \
            least 1KB/s, such as 100MB/s, or 'unlimited'
            """
        ),
        Mistake(
            "an io-limit with a misspelt word",
            "io-limit: 100MB/s",
            "io-limit: unlimted",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: the string 'unlimted'; expected a rate of \
            at least 1KB/s, such as 100MB/s, or 'unlimited'; did you mean 'unlimited'?
            """
        ),
        Mistake(
            "an io-limit that is a mapping",
            "io-limit: 100MB/s",
            "io-limit: { rate: 1 }",
            """
            job.yaml:13:15: spec.checkpoint.io-limit: a mapping; expected a rate of at least \
            1KB/s, such as 100MB/s, or 'unlimited'
            """
        ),
    ]
}
