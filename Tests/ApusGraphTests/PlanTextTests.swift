import Testing

@testable import ApusGraph

/// Golden texts: what people see of a plan.
@Suite("PlanText and PlanDOT")
struct PlanTextTests {
    typealias Sample = GraphSample

    static func flights() throws -> PhysicalPlan {
        var source = Sample.file("departures", csvLines: true)
        source.watermark = WatermarkDescription(
            timestamp: .calendar(fields: ["year", "month", "day", "hour", "minute"]),
            outOfOrderMicroseconds: 86_400_000_000
        )
        var enrich = Sample.node("enrich", ["aircraft"])
        enrich.component = "lookup"
        let job = JobDescription(
            name: "flights",
            sources: [source, Sample.generator("ticks", .impulse)],
            operators: [
                Sample.node("aircraft", ["departures"], key: Sample.tail), enrich,
                Sample.node("join", ["enrich", "ticks"], key: Sample.tail),
            ],
            sinks: [
                Sample.sink("results", ["join"], .file(path: "out/results.jsonl", appends: true)),
                Sample.sink("late", ["aircraft.late", "join.late"], .discard),
            ]
        )
        return try PhysicalPlan.make(
            for: job,
            parallelism: 2,
            signatures: [
                "aircraft": Sample.keyed, "enrich": Sample.plain, "join": Sample.keyed,
            ]
        )
    }

    @Test("the text shows chains, exchanges and keys")
    func theTextShowsChainsExchangesAndKeys() throws {
        #expect(
            try PlanText.render(Self.flights()) == """
                job flights
                  parallelism 2, 1024 key groups, buffer timeout 5ms
                  rejected records go to flights.dead-letter.jsonl

                chain 1: 1 subtask
                  departures (source)
                  |   file departures.csv, CSV rows as they are
                  |   event time from year, month, day, hour, minute; out of order by up to 1d; \
                idle after 30s
                  |   takes the key tail out of each record while parsing
                  +-- main ==hash @key==> aircraft, chain 3

                chain 2: 2 subtasks
                  ticks (source)
                  |   generator, impulses, endless, seed 1
                  +-- main ==hash tail==> join input 1, chain 4

                chain 3: 2 subtasks
                  aircraft (operator)
                  |   plugin plugin-aircraft
                  |   keyed by tail
                  +-- main --> enrich
                  +-- late --> late input 0, chain 6
                  enrich (operator)
                  |   plugin plugin-enrich, component lookup
                  +-- main ==hash tail==> join input 0, chain 4

                chain 4: 2 subtasks
                  join (operator)
                  |   plugin plugin-join
                  |   keyed by tail
                  +-- main ==gather==> results, chain 5
                  +-- late --> late input 1, chain 6

                chain 5: 1 subtask
                  results (sink)
                      file out/results.jsonl, appended to

                chain 6: 2 subtasks
                  late (sink)
                      discards everything

                """
        )
    }

    static func tickets() throws -> PhysicalPlan {
        var node = Sample.node("tickets", ["events"], key: .recordKey)
        node.expiries = [
            ExpiryDescription(
                stateName: "ticket",
                ttlMicroseconds: 90 * 86_400_000_000,
                refresh: .readAndWrite,
                time: .event,
                location: Sample.at(2)
            )
        ]
        let job = JobDescription(
            name: "tickets",
            durability: Durability(
                checkpoint: CheckpointDescription(
                    directory: "out/checkpoints",
                    minPauseMicroseconds: 2_000_000,
                    tolerableFailureCount: 3,
                    ioLimitBytesPerSecond: 100_000_000
                ),
                memoryBudget: .bytes(256 << 20)
            ),
            sources: [Sample.generator("events", .keyed(keyCount: 5, valueByteCount: 8))],
            operators: [node],
            sinks: [
                Sample.sink("results", ["tickets"], .file(path: "out/results/", appends: false)),
                Sample.sink("log", ["tickets"]), Sample.sink("rest", ["tickets"], .discard),
            ]
        )
        let signature = OperatorSignature(
            outputs: ["main"],
            isKeyed: true,
            states: ["ticket", "reminders"]
        )
        return try PhysicalPlan.make(
            for: job,
            parallelism: 1,
            signatures: ["tickets": signature]
        )
    }

    @Test("the text shows where state is, how often checkpoints are taken, what sinks promise")
    func theTextShowsStateAndCheckpoints() throws {
        #expect(
            try PlanText.render(Self.tickets()) == """
                job tickets
                  parallelism 1, 1024 key groups, buffer timeout 5ms
                  rejected records go to tickets.dead-letter.jsonl
                  checkpoints in out/checkpoints every 10s, pauses of at least 2s; 2 are kept; \
                at most 100MB/s
                    unaligned after 1s, abandoned after 10m; more than 3 failed in a row fail \
                the job
                  state in rocksdb, where checkpoints are, memory budget 256MiB
                  delivery exactly-once

                chain 1: 1 subtask
                  events (source)
                  |   generator, 5 keys, values of 8 bytes, endless, seed 1
                  +-- main ==hash @key==> tickets, chain 2

                chain 2: 1 subtask
                  tickets (operator)
                  |   plugin plugin-tickets
                  |   keyed by @key
                  |   state ticket expires 90d after it was last read or written, in event time
                  +-- main --> results
                  +-- main --> log
                  +-- main --> rest
                  results (sink)
                      folder of part files out/results/
                      delivered exactly-once
                  log (sink)
                      standard output
                      delivered exactly-once
                  rest (sink)
                      discards everything

                """
        )
    }

    @Test(
        "the settings are told as they are, and not at all when nothing is set",
        arguments: [
            (Durability(), []),
            (
                Durability(storage: .rocksdb(directory: "db"), memoryBudget: .percent(20)),
                [
                    "no checkpoints", "state in rocksdb, in db, memory budget 20% of what there is",
                    "delivery at-least-once",
                ]
            ),
            (
                Durability(delivery: .atLeastOnce),
                [
                    "no checkpoints",
                    "state in memory alone, memory budget 50% of what there is",
                    "delivery at-least-once",
                ]
            ),
            (
                Durability(
                    checkpoint: CheckpointDescription(
                        directory: "cp",
                        tolerableFailureCount: 0,
                        alignmentTimeoutMicroseconds: nil
                    )
                ),
                [
                    "checkpoints in cp every 10s; 2 are kept",
                    "  always aligned, abandoned after 10m; a failed attempt fails the job",
                    "state in rocksdb, where checkpoints are, memory budget 50% of what there is",
                    "delivery exactly-once",
                ]
            ),
        ] as [(Durability, [String])]
    )
    func theSettingsAreToldAsTheyAre(durability: Durability, lines: [String]) {
        #expect(durability.summary == lines)
    }

    @Test("the graph shows chains, exchanges and keys")
    func theGraphShowsChainsExchangesAndKeys() throws {
        #expect(
            try PlanDOT.render(Self.flights()) == #"""
                digraph "flights" {
                  rankdir=LR;
                  node [shape=box, style=rounded, fontname="sans-serif"];
                  edge [fontname="sans-serif"];
                  subgraph cluster_1 {
                    label="chain 1 x 1";
                    n0 [label="departures\nsource"];
                  }
                  subgraph cluster_2 {
                    label="chain 2 x 2";
                    n1 [label="ticks\nsource"];
                  }
                  subgraph cluster_3 {
                    label="chain 3 x 2";
                    n2 [label="aircraft\noperator"];
                    n3 [label="enrich\noperator"];
                  }
                  subgraph cluster_4 {
                    label="chain 4 x 2";
                    n4 [label="join\noperator"];
                  }
                  subgraph cluster_5 {
                    label="chain 5 x 1";
                    n5 [label="results\nsink"];
                  }
                  subgraph cluster_6 {
                    label="chain 6 x 2";
                    n6 [label="late\nsink"];
                  }
                  n0 -> n2 [label="hash @key", style=bold];
                  n2 -> n3 [label="", style=solid];
                  n3 -> n4 [label="hash tail", style=bold];
                  n1 -> n4 [label="hash tail", style=bold];
                  n4 -> n5 [label="gather", style=bold];
                  n2 -> n6 [label="late", style=solid];
                  n4 -> n6 [label="late", style=solid];
                }

                """#
        )
    }
}
