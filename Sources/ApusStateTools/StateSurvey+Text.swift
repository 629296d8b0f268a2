extension StateSurvey {
    private var head: String {
        "job '\(job)', checkpoint \(checkpoint), \(maxParallelism) key groups, "
            + "\(SizeText.text(fileByteCount)) of state files (from the manifest)"
    }

    /// What `apus state ls` prints.
    package var text: String {
        var table = TextTable(
            ["OPERATOR", "STATE", "KIND", "SCHEMA", "KEYS", "ENTRIES", "BYTES", "OLDEST WRITE"],
            right: [3, 4, 5, 6]
        )
        for found in operators {
            table.add([
                found.id, "(all)", "", "", String(found.keyCount),
                found.timerCount == 0 ? "" : "\(found.timerCount) timers",
                String(found.byteCount), found.oldestWrite ?? "-",
            ])
            for state in found.states {
                table.add([
                    found.id, state.name, state.kind, state.schemaVersion.map(String.init) ?? "-",
                    String(state.keyCount), String(state.entryCount), String(state.byteCount),
                    state.oldestWrite ?? "-",
                ])
            }
        }
        return ([head] + table.lines + notes).joined(separator: "\n")
    }

    /// What `apus state size` prints.
    package var sizeText: String {
        var table = TextTable(["OPERATOR", "STATE", "BYTES", "SHARE"], right: [2, 3])
        let total = operators.reduce(0) { $0 + $1.byteCount }
        func share(_ byteCount: Int) -> String {
            total == 0 ? "-" : "\(byteCount * 100 / total)%"
        }
        for found in operators {
            table.add([found.id, "(all)", String(found.byteCount), share(found.byteCount)])
            var rest = found.byteCount
            for state in found.states {
                rest -= state.byteCount
                table.add([found.id, state.name, String(state.byteCount), share(state.byteCount)])
            }
            table.add([found.id, "(keys and timers)", String(rest), share(rest)])
        }
        var groupTable = TextTable(["OPERATOR", "KEY GROUP", "KEYS", "BYTES"], right: [1, 2, 3])
        for group in groups {
            groupTable.add([
                group.operator, String(group.group), String(group.keyCount),
                String(group.byteCount),
            ])
        }
        let lines = [head] + table.lines + ["", "largest key groups"] + groupTable.lines
        return (lines + notes).joined(separator: "\n")
    }

    private var notes: [String] {
        var notes: [String] = []
        let counted = operators.filter { $0.keyCountOrigin == .manifest }
        notes.append(
            counted.isEmpty
                ? "all numbers were counted by a scan"
                : "the keys of \(counted.map(\.id).joined(separator: ", ")) are counters of the "
                    + "manifest; all else was counted by a scan"
        )
        for found in counted where found.keyCount != found.scannedKeyCount {
            notes.append(
                "note: \(found.id): the manifest counts \(found.keyCount) keys, the scan has "
                    + "found \(found.scannedKeyCount)"
            )
        }
        if orphanCount > 0 {
            notes.append("note: \(orphanCount) entries of lists and maps belong to no key")
        }
        return notes
    }
}
