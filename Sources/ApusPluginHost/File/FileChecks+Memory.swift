extension FileChecks {
    /// A10: code that is written to, a stack that is executed, tables that stay writable.
    func checkMemory() -> [Finding] {
        var findings: [Finding] = []
        if facts.dynamic.has(flag: 4)
            || facts.dynamic.value(ElfDynamic.Tag.textRelocations) != nil
        {
            findings.append(
                Finding(
                    "A10",
                    .refuse,
                    "its code is written to when it is loaded (TEXTREL)",
                    expected: "position-independent code",
                    found: "relocations in code",
                    fix: "compile all of it with -fPIC",
                    code: .incompatible
                )
            )
        }
        if let stack = executableStack { findings.append(stack) }
        if facts.file.segment(ElfSegment.Kind.readOnlyAfterRelocation) == nil {
            findings.append(
                Finding(
                    "A10",
                    .warn,
                    "its tables of functions stay writable",
                    expected: "a segment GNU_RELRO",
                    found: "none",
                    fix: "link it with -Wl,-z,relro"
                )
            )
        }
        if facts.dynamic.has(moreFlag: 0x40) {
            findings.append(
                Finding(
                    "A10",
                    .refuse,
                    "it forbids to be loaded at run time (DF_1_NOOPEN)",
                    expected: "a library for dlopen",
                    found: "the flag NOOPEN",
                    fix: "link it without -Wl,-z,nodlopen",
                    code: .notLoadable
                )
            )
        }
        return findings
    }

    private var executableStack: Finding? {
        let stack = facts.file.segment(ElfSegment.Kind.stack)
        #if arch(x86_64)
        // Without a word about it, this processor's stacks are executable.
        let isExecutable = stack?.isExecutable ?? true
        #else
        let isExecutable = stack?.isExecutable ?? false
        #endif
        guard isExecutable else { return nil }
        return Finding(
            "A10",
            .refuse,
            "it wants the stacks of all threads to be executable",
            expected: "a segment GNU_STACK without the flag for execution",
            found: stack == nil ? "no such segment" : "one with it",
            fix: "link it with -Wl,-z,noexecstack, and mark its assembly with "
                + ".section .note.GNU-stack,\"\",@progbits",
            code: .incompatible
        )
    }

    /// A11: the processor.
    func checkProcessor() -> [Finding] {
        let missing = facts.properties.isaNeeded & ~host.isaLevels
        guard missing != 0, host.isaLevels != 0,
            let needed = GNUProperties.name(ofHighest: facts.properties.isaNeeded),
            let present = GNUProperties.name(ofHighest: host.isaLevels)
        else { return [] }
        return [
            Finding(
                "A11",
                .refuse,
                "built for a newer processor",
                expected: "at most \(present), which this machine is",
                found: "that it needs \(needed)",
                fix: "compile it with -march=\(present)",
                code: .incompatible
            )
        ]
    }

    /// A12: what crash reports can be matched with.
    func checkIdentity() -> [Finding] {
        if facts.buildID != nil { return [] }
        if facts.file.section(".debug_info") != nil { return [] }
        return [
            Finding(
                "A12",
                .warn,
                "it can not be matched with its symbols when it crashes",
                expected: "a build id, or debug information",
                found: "neither",
                fix: "link it with -Wl,--build-id, or compile it with -g"
            )
        ]
    }

    /// A13: what runs before its entry function.
    func checkConstructors() -> [Finding] {
        let count = facts.dynamic.constructorCount
        let usual = facts.isSwift || facts.needed.contains("libswiftCore.so") ? 2 : 1
        guard count > usual, !facts.isGo else { return [] }
        return [
            Finding(
                "A13",
                .info,
                "it has constructors, which run before its entry function",
                expected: "those of the compiler: \(usual)",
                found: "\(count)",
                fix: "do in create what can wait until then"
            )
        ]
    }
}
