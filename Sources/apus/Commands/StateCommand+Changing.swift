import ApusCheckpoint
import ApusCore
import ApusIO
import ApusStateTools
import ArgumentParser

extension StateCommand {
    /// `apus state export`.
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write state as JSON lines, one per value, entry or timer.",
            discussion: """
                docs/formats/state.md describes the lines.

                EXAMPLE
                  apus state export --checkpoint state/flights --operator aircraft > aircraft.jsonl
                """
        )

        @OptionGroup var options: LiveStateOptions

        @Option(help: "The operator (default: all).")
        var `operator`: String?

        @Option(help: "The state of that operator; without timers (default: all).")
        var state: String?

        @Option(name: .shortAndLong, help: "The file (default: standard output).")
        var output: String?

        func validate() throws {
            guard state == nil || self.operator != nil else {
                throw ValidationError("--state needs --operator")
            }
        }

        func run() throws {
            let count = try options.read { (reader) throws(StateToolError) in
                let number = try self.operator.map { (name) throws(StateToolError) in
                    try reader.directory.number(name)
                }
                var slot: Int?
                var isKeyed = true
                if let number, let state {
                    isKeyed = reader.directory.ownStateKind(number, state) == nil
                    if isKeyed { slot = try reader.directory.slot(number, state) }
                }
                let export = try StateExport(reader, what: "export", to: try open())
                if isKeyed {
                    try reader.forEachContent(of: number) { (content) throws(StateToolError) in
                        try export.add(content, slot: slot)
                        return true
                    }
                }
                for content in try reader.broadcasts(of: number) {
                    try export.add(content, state: state)
                }
                for content in try reader.operatorStates(of: number) {
                    try export.add(content, state: state)
                }
                try export.finish(isDurable: false)
                return export.lineCount
            }
            if let output { Console.note("\(count) lines in \(output)") }
        }

        private func open() throws(StateToolError) -> any WritableFile {
            guard let output else {
                return LinuxWritableFile(
                    descriptor: 1,
                    path: "standard output",
                    ownsDescriptor: false
                )
            }
            do throws(DiskError) {
                return try LinuxDisk().openForWriting(output, appending: false)
            } catch {
                throw StateToolError(error)
            }
        }
    }

    /// `apus state import`.
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring JSON lines into state, as a new checkpoint.",
            discussion: """
                Without --yes nothing is changed: the lines are checked and counted. The lines are \
                those of `apus state export`; docs/formats/state.md describes them. A value that \
                is there already is replaced, or kept with --existing keep. The items of an \
                operator state take the place of all that its subtasks have.

                EXAMPLE
                  apus state import aircraft.jsonl --checkpoint state/flights --yes
                """
        )

        @Argument(help: "The file with the lines.")
        var file: String

        @OptionGroup var options: StateOptions

        @Option(help: "What becomes of values that are there already: replace or keep.")
        var existing = "replace"

        @Flag(help: "Make the new checkpoint.")
        var yes = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard StateImport.Existing(rawValue: existing) != nil else {
                throw ValidationError("--existing \(existing): expected replace or keep")
            }
        }

        func run() throws {
            let rule = StateImport.Existing(rawValue: existing) ?? .replace
            let report = try options.bring(file, rule, isUndo: false, yes: yes)
            try StateTool.print(report, report.text, json: json)
        }
    }

    /// `apus state purge`.
    struct Purge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove keys, or a state of them, from state, as a new checkpoint.",
            discussion: """
                Without --yes nothing is changed: what would go is counted. What goes is written \
                to a file first, from which `apus state undo` brings it back. With --live the keys \
                go from the running job, which leaves those that were written meanwhile.

                Keyed state alone is purged. Broadcast and operator state, which belong to no key, \
                stay as they are; to change them, export, edit and import them.

                CONDITIONS, joined by `and`
                  idle > 7d          the key was not written for so long
                  size > 1MiB        its bytes before compression; of --state alone, if given
                  expired            all that it has has outlived its time
                  key like "abc*"    * stands for any bytes, ? for one
                  key = "abc"        text, or 0x and hexadecimal digits

                EXAMPLE
                  apus state purge --checkpoint state/flights --where 'idle > 90d and size > 10KiB'
                  apus state purge --checkpoint state/flights --live --where 'idle > 7d' --yes
                """
        )

        @OptionGroup var options: LiveStateOptions

        @Option(name: .customLong("where"), help: "Which keys.")
        var condition: String

        @Option(help: "The operator (default: all).")
        var `operator`: String?

        @Option(help: "The state that alone goes (default: whole keys with their timers).")
        var state: String?

        @Option(
            help: ArgumentHelp(
                "The file for what is removed (default: FOLDER.purged-N.jsonl).",
                valueName: "file"
            )
        )
        var tombstones: String?

        @Flag(help: "Count only; so it is without --yes.")
        var dryRun = false

        @Flag(help: "Make the new checkpoint.")
        var yes = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard !(dryRun && yes) else { throw ValidationError("--dry-run or --yes, not both") }
        }

        func run() throws {
            var selection = try StateTool.orExit { () throws(StateToolError) in
                try StatePurge.Selection(where: condition)
            }
            selection.operatorName = self.operator
            selection.stateName = state
            let now = LinuxClock().wallMicroseconds()
            let purge = StatePurge(selection, nowMicroseconds: now) { Console.note($0) }
            if yes, options.live {
                let report = try LiveChanges(options).purge(purge, state, tombstones: tombstones)
                return try StateTool.print(report, report.text, json: json)
            }
            let report: PurgeReport
            if yes {
                let (folder, manifest) = try options.stored.openForWriting()
                defer { folder.close() }
                report = try StateTool.orExit { () throws(StateToolError) in
                    try purge.run(
                        folder,
                        manifest,
                        tombstones: tombstones
                            ?? "\(folder.path).purged-\(folder.nextNumber).jsonl",
                        disk: LinuxDisk(),
                        writerVersion: StateTool.writerVersion
                    )
                }
            } else {
                if !options.live { try options.stored.warnOfNewer() }
                report = try options.read { (reader) throws(StateToolError) in
                    try purge.dryRun(reader)
                }
            }
            try StateTool.print(report, report.text, json: json)
        }
    }

    /// `apus state undo`.
    struct Undo: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring back what a purge has removed, as a new checkpoint.",
            discussion: """
                Without --yes nothing is changed: the lines are checked and counted. What a key \
                has got again since the purge stays as it is, or is replaced with \
                --existing replace. Timers whose time is past fire at once. With --live it goes \
                into the running job, and only keys that have nothing now get it back. Keyed \
                state alone is brought back, as it alone is purged.

                EXAMPLE
                  apus state undo state/flights.purged-18.jsonl --checkpoint state/flights --yes
                """
        )

        @Argument(help: "The file that the purge has written.")
        var file: String

        @OptionGroup var options: LiveStateOptions

        @Option(help: "What becomes of values that are there already: keep or replace.")
        var existing = "keep"

        @Flag(help: "Make the new checkpoint.")
        var yes = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            guard StateImport.Existing(rawValue: existing) != nil else {
                throw ValidationError("--existing \(existing): expected keep or replace")
            }
            guard !options.live || existing == "keep" else {
                throw ValidationError("--live never replaces; leave --existing out")
            }
        }

        func run() throws {
            let rule = StateImport.Existing(rawValue: existing) ?? .keep
            if options.live {
                let report = try LiveChanges(options).undo(file, yes: yes)
                return try StateTool.print(report, report.text, json: json)
            }
            let report = try options.stored.bring(file, rule, isUndo: true, yes: yes)
            try StateTool.print(report, report.text, json: json)
        }
    }
}

extension StateOptions {
    /// Brings lines into state, or counts what would change.
    func bring(
        _ file: String,
        _ existing: StateImport.Existing,
        isUndo: Bool,
        yes: Bool
    ) throws -> StateImport.Report {
        let lines = StateImport(file, existing: existing, isUndo: isUndo, disk: LinuxDisk()) {
            Console.note($0)
        }
        guard yes else {
            try warnOfNewer()
            return try read { (reader) throws(StateToolError) in try lines.dryRun(reader) }
        }
        let (folder, manifest) = try openForWriting()
        defer { folder.close() }
        return try StateTool.orExit { () throws(StateToolError) in
            try lines.run(
                folder,
                manifest,
                nowMicroseconds: LinuxClock().wallMicroseconds(),
                writerVersion: StateTool.writerVersion
            )
        }
    }
}
