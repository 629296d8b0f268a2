import Testing

@testable import ApusJobFile

/// What is wrong with state, memory, delivery and times to live.
@Suite("Job file: mistakes in state and delivery")
struct DurabilityErrorTests {
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
            "state that is no mapping",
            "state: { backend: rocksdb, dir: data/database }",
            "state: rocksdb",
            """
            job.yaml:14:10: spec.state: the string 'rocksdb'; expected a mapping
            """
        ),
        Mistake(
            "an unknown backend",
            "backend: rocksdb",
            "backend: rocksb",
            """
            job.yaml:14:21: spec.state.backend: the string 'rocksb'; expected one of rocksdb, \
            memory; did you mean 'rocksdb'?
            """
        ),
        Mistake(
            "an unknown key of state",
            "backend: rocksdb",
            "bakend: rocksdb",
            """
            job.yaml:14:12: spec.state: unknown key 'bakend'; expected one of backend, dir; did \
            you mean 'backend'?
            """
        ),
        Mistake(
            "a state dir that is a list",
            "dir: data/database",
            "dir: [data]",
            """
            job.yaml:14:35: spec.state.dir: a list; expected the folder of the local database
            """
        ),
        Mistake(
            "memory with checkpoint",
            "{ backend: rocksdb, dir: data/database }",
            "{ backend: memory }",
            """
            job.yaml:14:21: spec.state.backend: 'memory' together with 'checkpoint'; expected \
            'rocksdb', because a checkpoint is made of the files of the local database; remove \
            'backend:' or 'checkpoint:'
            """
        ),
        Mistake(
            "memory with dir and checkpoint",
            "backend: rocksdb",
            "backend: memory",
            """
            job.yaml:14:21: spec.state.backend: 'memory' together with 'checkpoint'; expected \
            'rocksdb', because a checkpoint is made of the files of the local database; remove \
            'backend:' or 'checkpoint:'
            job.yaml:14:34: spec.state.dir: a folder for state that is in memory alone; expected \
            'backend: rocksdb'; or remove 'dir:'
            """
        ),
        Mistake(
            "a database in the folder of checkpoints",
            "dir: data/database",
            "dir: ./data//checkpoints/db",
            """
            job.yaml:14:35: spec.state.dir: a folder that is, holds or lies in the folder of \
            checkpoints; expected a folder of its own, because the local database is removed and \
            made again at every start; or remove 'dir:' to have it made where checkpoints are
            """
        ),
        Mistake(
            "a database that holds the folder of checkpoints",
            "dir: data/database",
            "dir: data/",
            """
            job.yaml:14:35: spec.state.dir: a folder that is, holds or lies in the folder of \
            checkpoints; expected a folder of its own, because the local database is removed and \
            made again at every start; or remove 'dir:' to have it made where checkpoints are
            """
        ),
        Mistake(
            "a database that is the folder of checkpoints",
            "dir: data/database",
            "dir: data/checkpoints",
            """
            job.yaml:14:35: spec.state.dir: a folder that is, holds or lies in the folder of \
            checkpoints; expected a folder of its own, because the local database is removed and \
            made again at every start; or remove 'dir:' to have it made where checkpoints are
            """
        ),
        Mistake(
            "memory that is no mapping",
            "memory: { budget: 256MiB }",
            "memory: 256MiB",
            """
            job.yaml:15:11: spec.memory: the string '256MiB'; expected a mapping
            """
        ),
        Mistake(
            "an unknown key of memory",
            "{ budget: 256MiB }",
            "{ bugdet: 256MiB }",
            """
            job.yaml:15:13: spec.memory: unknown key 'bugdet'; expected 'budget'; did you mean \
            'budget'?
            """
        ),
        Mistake(
            "a budget without unit",
            "budget: 256MiB",
            "budget: 268435456",
            """
            job.yaml:15:21: spec.memory.budget: the number '268435456'; expected a size of at \
            least 32MiB, such as 256MiB, or 1% to 90% of the memory that there is; add a unit: \
            in bytes it is '256MiB'
            """
        ),
        Mistake(
            "a budget with an unknown unit",
            "budget: 256MiB",
            "budget: 256M",
            """
            job.yaml:15:21: spec.memory.budget: the string '256M'; expected a size of at least \
            32MiB, such as 256MiB, or 1% to 90% of the memory that there is; there is no unit \
            'M', only B, KB, MB, GB (powers of 1000), KiB, MiB and GiB (powers of 1024)
            """
        ),
        Mistake(
            "a budget in small letters",
            "budget: 256MiB",
            "budget: 256mib",
            """
            job.yaml:15:21: spec.memory.budget: the string '256mib'; expected a size of at least \
            32MiB, such as 256MiB, or 1% to 90% of the memory that there is; there is no unit \
            'mib', only B, KB, MB, GB (powers of 1000), KiB, MiB and GiB (powers of 1024); did \
            you mean '256MiB'?
            """
        ),
        Mistake(
            "a budget with a fraction",
            "budget: 256MiB",
            "budget: 1.5GiB",
            """
            job.yaml:15:21: spec.memory.budget: the string '1.5GiB'; expected a size of at least \
            32MiB, such as 256MiB, or 1% to 90% of the memory that there is; write whole numbers \
            with a smaller unit, such as 1500MB
            """
        ),
        Mistake(
            "a budget below the range",
            "budget: 256MiB",
            "budget: 31MiB",
            """
            job.yaml:15:21: spec.memory.budget: the string '31MiB'; expected a size of at least \
            32MiB, such as 256MiB, or 1% to 90% of the memory that there is
            """
        ),
        Mistake(
            "a budget beyond all machines",
            "budget: 256MiB",
            "budget: 99999999999GiB",
            """
            job.yaml:15:21: spec.memory.budget: the string '99999999999GiB'; expected a size of \
            at least 32MiB, such as 256MiB, or 1% to 90% of the memory that there is; it is \
            larger than 1048576GiB
            """
        ),
        Mistake(
            "a budget that is a rate",
            "budget: 256MiB",
            "budget: 256MiB/s",
            """
            job.yaml:15:21: spec.memory.budget: the string '256MiB/s'; expected a size of at \
            least 32MiB, such as 256MiB, or 1% to 90% of the memory that there is
            """
        ),
        Mistake(
            "a budget of no percent",
            "budget: 256MiB",
            "budget: 0%",
            """
            job.yaml:15:21: spec.memory.budget: the string '0%'; expected a size of at least \
            32MiB, such as 256MiB, or 1% to 90% of the memory that there is
            """
        ),
        Mistake(
            "a budget of too many percent",
            "budget: 256MiB",
            "budget: 91%",
            """
            job.yaml:15:21: spec.memory.budget: the string '91%'; expected a size of at least \
            32MiB, such as 256MiB, or 1% to 90% of the memory that there is
            """
        ),
        Mistake(
            "a budget with a fraction of percent",
            "budget: 256MiB",
            "budget: 12.5%",
            """
            job.yaml:15:21: spec.memory.budget: the string '12.5%'; expected a size of at least \
            32MiB, such as 256MiB, or 1% to 90% of the memory that there is
            """
        ),
        Mistake(
            "a budget that is a list",
            "budget: 256MiB",
            "budget: [256MiB]",
            """
            job.yaml:15:21: spec.memory.budget: a list; expected a size of at least 32MiB, such \
            as 256MiB, or 1% to 90% of the memory that there is
            """
        ),
        Mistake(
            "nothing for a budget",
            "{ budget: 256MiB }",
            "{ budget: }",
            """
            job.yaml:15:21: spec.memory.budget: nothing; expected a size of at least 32MiB, such \
            as 256MiB, or 1% to 90% of the memory that there is
            """
        ),
        Mistake(
            "an unknown delivery",
            "  delivery: exactly-once",
            "  delivery: exactly-ones",
            """
            job.yaml:16:13: spec.delivery: the string 'exactly-ones'; expected one of \
            exactly-once, at-least-once; did you mean 'exactly-once'?
            """
        ),
        Mistake(
            "a delivery that is a truth value",
            "  delivery: exactly-once",
            "  delivery: true",
            """
            job.yaml:16:13: spec.delivery: the truth value 'true'; expected one of exactly-once, \
            at-least-once; put it in quotes
            """
        ),
        Mistake(
            "an unknown delivery of a sink",
            "delivery: at-least-once",
            "delivery: at-most-once",
            """
            job.yaml:33:64: spec.sinks[log].delivery: the string 'at-most-once'; expected one of \
            exactly-once, at-least-once; did you mean 'at-least-once'?
            """
        ),
        Mistake(
            "a folder with at-least-once",
            "  delivery: exactly-once",
            "  delivery: at-least-once",
            """
            job.yaml:32:68: spec.sinks[results].config.path: a folder of part files for delivery \
            'at-least-once'; expected a file, because a part file appears with the checkpoint \
            that completes it; set 'delivery: exactly-once', or remove the '/' at the end
            """
        ),
        Mistake(
            "operator state that is no mapping",
            DurableSample.expiries,
            "      state: [ticket]",
            """
            job.yaml:28:14: spec.operators[tickets].state: a list; expected a mapping from names \
            of states to '{ ttl: ... }'
            """
        ),
        Mistake(
            "a ttl beside the name",
            "reminders: { ttl: 7d }",
            "reminders: 7d",
            """
            job.yaml:30:20: spec.operators[tickets].state.reminders: the string '7d'; expected a \
            mapping
            """
        ),
        Mistake(
            "no ttl",
            "reminders: { ttl: 7d }",
            "reminders: { refresh: write }",
            """
            job.yaml:30:20: spec.operators[tickets].state.reminders: no 'ttl'; expected how long \
            a value lives, such as 7d
            """
        ),
        Mistake(
            "a ttl without unit",
            "ttl: 7d",
            "ttl: 7",
            """
            job.yaml:30:27: spec.operators[tickets].state.reminders.ttl: the number '7'; \
            expected a duration from 1s to 36500d, such as 7d; add a unit, for example '7ms' or \
            '7s'
            """
        ),
        Mistake(
            "a ttl below the range",
            "ttl: 7d",
            "ttl: 999ms",
            """
            job.yaml:30:27: spec.operators[tickets].state.reminders.ttl: the string '999ms'; \
            expected a duration from 1s to 36500d, such as 7d
            """
        ),
        Mistake(
            "a ttl of zero",
            "ttl: 7d",
            "ttl: 0s",
            """
            job.yaml:30:27: spec.operators[tickets].state.reminders.ttl: the string '0s'; \
            expected a duration from 1s to 36500d, such as 7d
            """
        ),
        Mistake(
            "a ttl that never comes",
            "ttl: 7d",
            "ttl: never",
            """
            job.yaml:30:27: spec.operators[tickets].state.reminders.ttl: the string 'never'; \
            expected a duration from 1s to 36500d, such as 7d
            """
        ),
        Mistake(
            "an unknown key of a ttl",
            "{ ttl: 7d }",
            "{ ttl: 7d, refrsh: write }",
            """
            job.yaml:30:31: spec.operators[tickets].state.reminders: unknown key 'refrsh'; \
            expected one of ttl, refresh, time; did you mean 'refresh'?
            """
        ),
        Mistake(
            "an unknown refresh",
            "refresh: read-and-write",
            "refresh: read",
            """
            job.yaml:29:38: spec.operators[tickets].state.ticket.refresh: the string 'read'; \
            expected one of write, read-and-write
            """
        ),
        Mistake(
            "an unknown time",
            "time: event",
            "time: evnt",
            """
            job.yaml:29:60: spec.operators[tickets].state.ticket.time: the string 'evnt'; \
            expected one of processing, event; did you mean 'event'?
            """
        ),
        Mistake(
            "event time without watermark",
            "      watermark: { field: at }\n",
            "",
            """
            job.yaml:28:60: spec.operators[tickets].state.ticket.time: 'event', but no source \
            that 'tickets' reads has event times, so nothing would ever expire; expected \
            'processing', or a 'watermark:' at the source
            """
        ),
        Mistake(
            "a folder without checkpoint",
            DurableSample.settings,
            "  parallelism: 1",
            """
            job.yaml:20:68: spec.sinks[results].config.path: a folder of part files for delivery \
            'at-least-once'; expected a file, because a part file appears with the checkpoint \
            that completes it; add 'checkpoint:' to 'spec:', or remove the '/' at the end
            """
        ),
        Mistake(
            "exactly-once without checkpoint",
            DurableSample.settings,
            "  delivery: exactly-once",
            """
            job.yaml:5:13: spec.delivery: 'exactly-once' without 'checkpoint'; expected \
            'at-least-once', because output is delivered exactly once only with the checkpoint \
            that holds it; or add 'checkpoint:' to 'spec:'
            """
        ),
        Mistake(
            "rocksdb without dir and checkpoint",
            DurableSample.settings,
            "  state: { backend: rocksdb }\n  delivery: exactly-once",
            """
            job.yaml:5:21: spec.state.backend: 'rocksdb' without 'checkpoint'; expected 'memory', \
            because in this version the local database is there for checkpoints alone; or add \
            'checkpoint:' to 'spec:'
            job.yaml:6:13: spec.delivery: 'exactly-once' without 'checkpoint'; expected \
            'at-least-once', because output is delivered exactly once only with the checkpoint \
            that holds it; or add 'checkpoint:' to 'spec:'
            """
        ),
        Mistake(
            "a database folder without database",
            DurableSample.settings,
            "  state: { dir: data/database }\n  delivery: exactly-once",
            """
            job.yaml:5:17: spec.state.dir: a folder for state that is in memory alone; expected \
            'backend: rocksdb'; or remove 'dir:'
            job.yaml:6:13: spec.delivery: 'exactly-once' without 'checkpoint'; expected \
            'at-least-once', because output is delivered exactly once only with the checkpoint \
            that holds it; or add 'checkpoint:' to 'spec:'
            """
        ),
    ]
}
