import CApusPlugin

extension FileChecks {
    /// A3: the note, its versions and its layout.
    func checkNote() -> [Finding] {
        guard let note = facts.note else {
            return [
                Finding(
                    "A3",
                    .warn,
                    "it has no note .note.apus, as plugins of ABI 0.1 and 0.2",
                    expected: "a note of \(ApusNote.byteCount) bytes",
                    found: "none",
                    fix: "compile it with this version's headers, and write APUS_PLUGIN_NOTE in "
                        + "one source file"
                )
            ]
        }
        guard note.major == host.major else {
            return [
                incompatible(
                    "made for another major version of the ABI",
                    expected: "\(host.major).x",
                    found: note.abi,
                    fix: "compile it with this version's headers"
                )
            ]
        }
        guard note.minorFloor <= host.minor else {
            return [
                incompatible(
                    "needs a newer host",
                    expected: "ABI \(host.major).\(host.minor) or older to be enough",
                    found: "that it needs \(note.major).\(note.minorFloor) or newer",
                    fix: "update Apus, or compile the plugin with a lower APUS_ABI_MINOR_FLOOR"
                )
            ]
        }
        if let layout = host.layouts[note.minor], layout != note.layoutID {
            return [
                incompatible(
                    "the structs of its headers are not those of ABI \(note.abi)",
                    expected: "layout \(Hexadecimal.text(layout))",
                    found: "layout \(note.layout)",
                    fix: "compile it with unchanged headers of a released version"
                )
            ]
        }
        return remarks(note)
    }

    private func remarks(_ note: ApusNote) -> [Finding] {
        var findings: [Finding] = []
        if note.needsIsolation {
            findings.append(
                Finding(
                    "A3",
                    .warn,
                    "it wants a process of its own",
                    expected: "a plugin that can share the job's process",
                    found: "the flag NEEDS_ISOLATION in its note",
                    fix: "run it in a job of its own; this version has no other isolation"
                )
            )
        }
        if note.languageName == nil {
            findings.append(
                Finding(
                    "A3",
                    .info,
                    "its note names a language that this host does not know",
                    expected: "1 to 6",
                    found: "\(note.language)",
                    fix: ""
                )
            )
        }
        if note.minor > host.minor {
            findings.append(
                Finding(
                    "A3",
                    .info,
                    "made for a newer minor version of the ABI; it does without what is new",
                    expected: "\(host.major).\(host.minor) or older",
                    found: note.abi,
                    fix: ""
                )
            )
        }
        return findings
    }

    private func incompatible(
        _ what: String,
        expected: String,
        found: String,
        fix: String
    ) -> Finding {
        Finding(
            "A3",
            .refuse,
            what,
            expected: expected,
            found: found,
            fix: fix,
            code: .incompatible
        )
    }
}
