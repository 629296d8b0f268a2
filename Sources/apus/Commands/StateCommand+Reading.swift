import ApusControl
import ApusState
import ApusStateTools
import ArgumentParser

extension StateCommand {
    /// `apus state ls`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ls",
            abstract: "List operators and states: kinds, schema versions, keys, entries, bytes.",
            discussion: """
                The number of an operator's keys is a counter of the manifest, where that has it; \
                everything else is counted by reading all entries. Bytes are those before \
                compression. State of an operator that the job has no longer is called by its \
                number, as '#7'.

                EXAMPLE
                  apus state ls --checkpoint state/flights --json
                """
        )

        @OptionGroup var options: LiveStateOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let survey = try options.read { (reader) throws(StateToolError) in
                try StateSurvey(reader)
            }
            try StateTool.print(survey, survey.text, json: json)
        }
    }

    /// `apus state size`.
    struct Size: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell the bytes of operators, states and the largest key groups.",
            discussion: """
                Bytes are those before compression, counted by reading all entries. With --live \
                also what the running job has in memory, by its own counters.

                EXAMPLE
                  apus state size --checkpoint state/flights --groups 5
                """
        )

        @OptionGroup var options: LiveStateOptions

        @Option(help: "How many key groups to name.")
        var groups = 10

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard groups >= 0 else { throw ValidationError("--groups must be 0 or more") }
        }

        /// The sizes in a checkpoint and in the job that has just taken it.
        private struct LiveSize: Encodable {
            var checkpoint: StateSurvey
            var running: StateSizes
        }

        func run() throws {
            guard options.live else {
                let survey = try options.read { (reader) throws(StateToolError) in
                    try StateSurvey(reader, groupLimit: groups)
                }
                return try StateTool.print(survey, survey.sizeText, json: json)
            }
            let checkpoint = try options.takeCheckpoint()
            let running = try ControlPlace.orExit { () throws(ControlError) in
                try checkpoint.client.ask("state.sizes", ControlNothing(), as: StateSizes.self)
            }
            let survey = try options.stored.read(checkpoint.folder, checkpoint.manifest) {
                (reader) throws(StateToolError) in
                try StateSurvey(reader, groupLimit: groups)
            }
            try StateTool.print(
                LiveSize(checkpoint: survey, running: running),
                survey.sizeText + "\n" + running.text,
                json: json
            )
        }
    }

    /// `apus state get`.
    struct Get: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print everything that a key has: values, entries, timers.",
            discussion: """
                Entries of broadcast state that have this key in their map are printed, too, and \
                the items of operator state that is called so.

                KEY is text, or 0x and hexadecimal digits. Values are shown as text where they are \
                text, else as hexadecimal digits; values of a fixed length of 8 bytes also as a \
                little-endian number. Ends with status 2 when the key has nothing.

                EXAMPLE
                  apus state get N12345 --checkpoint state/flights --operator aircraft
                """
        )

        @Argument(help: "The key.")
        var key: String

        @OptionGroup var options: LiveStateOptions

        @Option(help: "The operator (default: all that have the key).")
        var `operator`: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let reports = try options.read { (reader) throws(StateToolError) in
                let bytes = try ByteText.key(key)
                var reports: [KeyReport] = []
                for number in try reader.operatorNumbers(named: self.operator) {
                    if let content = try reader.content(of: bytes, operatorNumber: number) {
                        reports.append(KeyReport(content, reader.directory))
                    }
                }
                reports += try reader.broadcastReports(of: self.operator) { $0.key == bytes }
                reports += try reader.operatorStateReports(of: self.operator) { $0 == bytes }
                guard !reports.isEmpty else {
                    throw StateToolError(
                        .input,
                        "no operator\(self.operator.map { " '\($0)'" } ?? "") has state for the "
                            + "key '\(key)'; `apus state scan` lists keys"
                    )
                }
                return reports
            }
            try StateTool.print(reports, reports.map(\.text).joined(separator: "\n"), json: json)
        }
    }

    /// `apus state scan`.
    struct Scan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print keys in their order with everything that they have.",
            discussion: """
                To go on behind the last key that was printed, give it to --from; it is printed \
                again. Entries of broadcast state come behind them, by their keys in their maps, \
                and last operator state, each subtask's items by the name of the state.

                EXAMPLE
                  apus state scan --checkpoint state/flights --operator aircraft --prefix N1
                """
        )

        @OptionGroup var options: LiveStateOptions

        @Option(help: "The operator (default: one after the other).")
        var `operator`: String?

        @Option(help: "What the keys begin with; text, or 0x and hexadecimal digits.")
        var prefix = ""

        @Option(help: "The first key; text, or 0x and hexadecimal digits.")
        var from = ""

        @Option(help: "How many keys at most.")
        var limit = 20

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard (1...100_000).contains(limit) else {
                throw ValidationError(
                    "--limit must be 1 to 100000; for more use `apus state export`"
                )
            }
        }

        func run() throws {
            let reports = try options.read { (reader) throws(StateToolError) in
                let prefixBytes = try ByteText.key(prefix)
                let fromBytes = try ByteText.key(from)
                var reports: [KeyReport] = []
                for number in try reader.operatorNumbers(named: self.operator)
                where reports.count < limit {
                    let contents = try reader.keys(
                        of: number,
                        prefix: prefixBytes,
                        from: fromBytes,
                        limit: limit - reports.count
                    )
                    reports += contents.map { KeyReport($0, reader.directory) }
                }
                func isWanted(_ key: [UInt8]) -> Bool {
                    key.starts(with: prefixBytes) && !key.lexicographicallyPrecedes(fromBytes)
                }
                reports += try reader.broadcastReports(of: self.operator) { isWanted($0.key) }
                reports += try reader.operatorStateReports(of: self.operator, where: isWanted)
                return Array(reports.prefix(limit))
            }
            let text = reports.isEmpty ? "no keys" : reports.map(\.text).joined(separator: "\n")
            try StateTool.print(reports, text, json: json)
        }
    }

    /// `apus state top`.
    struct Top: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the largest keys, by bytes or entries, or the oldest.",
            discussion: """
                EXAMPLE
                  apus state top --checkpoint state/flights --by age --limit 10
                """
        )

        @OptionGroup var options: LiveStateOptions

        @Option(help: "bytes, entries, or age: least recently written first.")
        var by = "bytes"

        @Option(help: "The operator (default: all).")
        var `operator`: String?

        @Option(help: "How many keys.")
        var limit = 20

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard TopReport.Order(rawValue: by) != nil else {
                throw ValidationError("--by \(by): expected bytes, entries or age")
            }
            guard (1...100_000).contains(limit) else {
                throw ValidationError("--limit must be 1 to 100000")
            }
        }

        func run() throws {
            let report = try options.read { (reader) throws(StateToolError) in
                let number = try self.operator.map { (name) throws(StateToolError) in
                    try reader.directory.number(name)
                }
                return try TopReport(
                    reader,
                    by: TopReport.Order(rawValue: by) ?? .bytes,
                    operatorNumber: number,
                    limit: limit
                )
            }
            try StateTool.print(report, report.text, json: json)
        }
    }
}

extension StateSnapshotReader {
    /// Entries of broadcast state of one operator, or of all.
    func broadcastReports(
        of name: String?,
        where isWanted: (BroadcastEntry) -> Bool
    ) throws(StateToolError) -> [KeyReport] {
        let number = try name.map { (name) throws(StateToolError) in try directory.number(name) }
        return try broadcasts(of: number)
            .flatMap { content in
                content.maps.flatMap { map in
                    map.entries.filter(isWanted).map { KeyReport(content, map, $0) }
                }
            }
    }

    /// Operator state of one operator, or of all, by subtask.
    func operatorStateReports(
        of name: String?,
        where isWanted: ([UInt8]) -> Bool
    ) throws(StateToolError) -> [KeyReport] {
        let number = try name.map { (name) throws(StateToolError) in try directory.number(name) }
        return try operatorStates(of: number)
            .flatMap { content in
                content.lists.filter { isWanted(Array($0.name.utf8)) }
                    .flatMap { list in
                        list.subtasks.indices.map { KeyReport(content, list, subtask: $0) }
                    }
            }
    }

    /// The operator of a name, or all that have state.
    func operatorNumbers(named name: String?) throws(StateToolError) -> [UInt16] {
        guard let name else { return try operatorNumbers() }
        return [try directory.number(name)]
    }
}
