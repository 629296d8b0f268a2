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
