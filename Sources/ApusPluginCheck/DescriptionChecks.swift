import ApusPluginHost
import ApusState
import CApusPlugin

/// Group C: what a plugin says of itself.
enum DescriptionChecks {
    static let all = [structs, identities, stable, version, flags, needs, states]

    /// Sizes, counts, names and kinds: the host's own reader looks at them when the file is loaded,
    /// so that a plugin for which this fails does not come this far; see ``CheckChild``.
    static let structs = Check(
        id: "C27",
        name: "description-structs",
        demand: "Sizes, counts, pointers, names and kinds in the description make sense: the host "
            + "reads them before it trusts anything else",
        strictness: 1,
        subject: .plugin
    ) { bench in
        let count = bench.plugin.description.components.count
        return .pass("\(count) component\(count == 1 ? "" : "s")")
    }

    static let identities = Check(
        id: "C28",
        name: "description-identities",
        demand: "The plugin's id is a reverse domain name and everything has a summary: people "
            + "must know what they look at",
        strictness: 5,
        subject: .plugin
    ) { bench in
        let plugin = bench.plugin.description
        let labels = plugin.id.split(separator: ".", omittingEmptySubsequences: false)
        let isGood =
            labels.count >= 2
            && labels.allSatisfy { label in
                !label.isEmpty
                    && label.utf8.allSatisfy {
                        (97...122).contains($0) || (48...57).contains($0) || $0 == 45
                    }
            }
        guard isGood else {
            throw CheckStop.fail(
                "the id is '\(plugin.id)'; expected a reverse domain name such as com.example.fraud"
            )
        }
        if plugin.vendor.isEmpty { return .warn("the vendor is empty") }
        for component in plugin.components where component.summary.isEmpty {
            return .warn("'\(component.id)' has no summary")
        }
        return .pass()
    }

    static let stable = Check(
        id: "C29",
        name: "description-stable",
        demand: "The description is the same when the entry function is called again, and in a "
            + "second copy of the file: the host compares what it saw with what it runs",
        strictness: 5,
        subject: .plugin
    ) { bench in
        let again = try PluginLoader(disk: bench.disk, imageDirectory: bench.imageDirectory)
            .load(bench.file)
        guard again.description == bench.plugin.description else {
            throw CheckStop.fail("the entry function gave another description the second time")
        }
        let copy = try PluginLoader(
            disk: bench.disk,
            imageDirectory: bench.imageDirectory + "/copy"
        ).load(bench.file)
        guard copy.description == bench.plugin.description else {
            throw CheckStop.fail("a copy of the file gives another description")
        }
        return .pass()
    }

    static let version = Check(
        id: "C30",
        name: "semantic-version",
        demand: "The version is a semantic one, 1.4.2 or 1.4.2-beta.1: checkpoints and lock files "
            + "compare them",
        strictness: 5,
        subject: .plugin
    ) { bench in
        let version = bench.plugin.description.version
        guard isSemantic(version) else {
            throw CheckStop.fail("the version is '\(version)'; expected three numbers, as in 1.4.2")
        }
        return .pass(version)
    }

    static func isSemantic(_ version: String) -> Bool {
        let core = version.prefix { $0 != "-" && $0 != "+" }
        let rest = version.dropFirst(core.count)
        let numbers = core.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 3
            && numbers.allSatisfy { number in
                !number.isEmpty && number.utf8.allSatisfy { (48...57).contains($0) }
                    && (number == "0" || number.first != "0")
            }
            && (rest.isEmpty || rest.count > 1)
            && rest.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0)
                    || [43, 45, 46].contains($0)
            }
    }

    static let flags = Check(
        id: "C32",
        name: "consistent-flags",
        demand: "Flags agree with each other and with the rest: the planner relies on them",
        strictness: 5,
        subject: .allComponents
    ) { bench in
        let component = bench.description
        let bits = bench.table.pointee.flags
        let known: UInt32 = 127
        guard bits & ~known == 0 else {
            throw CheckStop.fail("flags \(bits & ~known) are not known to ABI 0.\(APUS_ABI_MINOR)")
        }
        if component.acceptsNullKey, !component.isKeyed {
            throw CheckStop.fail("APUS_ACCEPTS_NULL_KEY without APUS_KEYED means nothing")
        }
        if component.promises.contains(.forwardsKey), !component.isKeyed {
            throw CheckStop.fail("APUS_FORWARDS_KEY without APUS_KEYED: there is no key to forward")
        }
        if component.promises.isSuperset(of: [.oneToOne, .filterOnly]) {
            return .warn("APUS_ONE_TO_ONE and APUS_FILTER_ONLY together: it drops nothing")
        }
        if component.isKeyed, component.states.isEmpty, component.timers.isEmpty {
            return .warn("it is APUS_KEYED, but has neither state nor timers")
        }
        return .pass()
    }

    static let needs = Check(
        id: "C33",
        name: "known-needs",
        demand: "What it needs of the host are names of extensions with a revision: a host that "
            + "lacks one says so by name",
        strictness: 5,
        subject: .allComponents
    ) { bench in
        let table = bench.table
        // SAFETY: the size says whether the field is there; the list ends with NULL by contract.
        guard let offset = MemoryLayout<apus_component>.offset(of: \.needs),
            Int(table.pointee.size) >= offset + 8, var at = table.pointee.needs
        else { return .pass("it needs none") }
        var names: [String] = []
        while let name = at.pointee, names.count < 256 {
            names.append(String(cString: name))
            at += 1
        }
        for name in names {
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, Int(parts[1]) != nil else {
                throw CheckStop.fail("it needs '\(name)'; expected a name such as apus.async/1")
            }
        }
        return .pass(names.joined(separator: ", "))
    }

    static let states = Check(
        id: "C34",
        name: "state-declarations",
        demand: "A state that says it reads older versions has a function that does: or the swap "
            + "to this version fails when it is too late",
        strictness: 5,
        subject: .operators
    ) { bench in
        for state in bench.description.states {
            let migration = state.migration
            guard migration.oldestReadable >= state.schemaVersion || migration.isGiven else {
                throw CheckStop.fail(
                    "state '\(state.slot.name)' reads versions \(migration.oldestReadable) to "
                        + "\(state.schemaVersion), but has no migrate"
                )
            }
            if state.schemaVersion > 1, !migration.isGiven {
                return .warn(
                    "state '\(state.slot.name)' has version \(state.schemaVersion), and what "
                        + "version \(state.schemaVersion - 1) wrote cannot be read"
                )
            }
        }
        return .pass()
    }
}
