import ApusCore
import ApusMemory
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// A plugin's mistakes become codes: wrong slots, kinds, records and pointers, and a context
/// without state.
@Suite("StateInterface")
struct StateInterfaceTests {
    typealias Call =
        @Sendable (
            _ functions: apus_state_api, _ context: UnsafeMutablePointer<apus_ctx>?, _ slot: UInt32,
            _ record: UInt32
        ) -> Int32

    /// Every function by name, the kinds of slots it is for, and a call that is otherwise right.
    static let calls: [(name: String, kinds: Set<Int>, call: Call)] = [
        (
            "value_get", [0, 1],
            {
                var value = apus_bytes()
                return $0.value_get($1, $2, $3, &value)
            }
        ),
        ("value_put", [0, 1], { $0.value_put($1, $2, $3, [1, 2, 3, 4, 5, 6, 7, 8], 8) }),
        (
            "value_mut", [0],
            {
                var value: UnsafeMutableRawPointer?
                return $0.value_mut($1, $2, $3, &value)
            }
        ),
        ("counter_add", [2], { $0.counter_add($1, $2, $3, 1, nil) }),
        (
            "counter_get", [2],
            {
                var sum: Int64 = 0
                return $0.counter_get($1, $2, $3, &sum)
            }
        ),
        ("list_append", [3], { $0.list_append($1, $2, $3, [1], 1) }),
        (
            "list_count", [3],
            {
                var count: UInt64 = 0
                return $0.list_count($1, $2, $3, &count)
            }
        ),
        (
            "list_next", [3],
            {
                var cursor = apus_cursor_all()
                var value = apus_bytes()
                var count: UInt32 = 0
                return $0.list_next($1, $2, $3, &cursor, &value, 1, &count)
            }
        ),
        (
            "map_get", [4],
            {
                var value = apus_bytes()
                return $0.map_get($1, $2, $3, [1], 1, &value)
            }
        ),
        ("map_put", [4], { $0.map_put($1, $2, $3, [1], 1, [2], 1) }),
        ("map_remove", [4], { $0.map_remove($1, $2, $3, [1], 1) }),
        (
            "map_count", [4],
            {
                var count: UInt64 = 0
                return $0.map_count($1, $2, $3, &count)
            }
        ),
        (
            "map_next", [4],
            {
                var cursor = apus_cursor_all()
                var entry = apus_entry()
                var count: UInt32 = 0
                return $0.map_next($1, $2, $3, &cursor, &entry, 1, &count)
            }
        ),
        ("clear", [0, 1, 2, 3, 4], { $0.clear($1, $2, $3) }),
    ]

    static let writes: Set<String> = [
        "value_put", "value_mut", "counter_add", "list_append", "map_put",
    ]

    static func make() -> StateHarness {
        let harness = KeyedStateTests.make(
            .fixedValue(byteCount: 8),
            .value,
            .counter,
            .list,
            .map
        )
        harness.begin([[1], nil])
        return harness
    }

    @Test("says UNSUPPORTED for slots that are not there or of another kind")
    func saysUnsupportedForWrongSlots() {
        let harness = Self.make()
        for (name, kinds, call) in Self.calls {
            for slot in [0, 1, 2, 3, 4, 5, 31, 32, 33, 64, .max] as [UInt32] {
                let code = call(harness.functions, harness.context, slot, 0)
                if kinds.contains(Int(slot)) {
                    #expect(code == APUS_OK || code == APUS_NOT_FOUND, "\(name), slot \(slot)")
                } else {
                    #expect(code == APUS_UNSUPPORTED, "\(name), slot \(slot)")
                }
            }
        }
    }

    @Test("says NOT_FOUND where nothing is, and OK once something is")
    func saysNotFoundWhereNothingIs() {
        let harness = Self.make()
        for isWritten in [false, true] {
            for (name, kinds, call) in Self.calls where !Self.writes.contains(name) {
                for slot in kinds.sorted()
                where !(isWritten && ["clear", "map_remove"].contains(name)) {
                    let code = call(harness.functions, harness.context, UInt32(slot), 0)
                    #expect(code == (isWritten ? APUS_OK : APUS_NOT_FOUND), "\(name)")
                }
            }
            for (name, kinds, call) in Self.calls where Self.writes.contains(name) {
                for slot in kinds {
                    let code = call(harness.functions, harness.context, UInt32(slot), 0)
                    #expect(code == APUS_OK, "\(name)")
                }
            }
        }
    }

    @Test("says UNSUPPORTED for records without key or outside of the batch")
    func saysUnsupportedForWrongRecords() {
        let harness = Self.make()
        for (name, kinds, call) in Self.calls {
            for slot in kinds {
                for record in [1, 2, 3, 1023, 1024, .max] as [UInt32] {
                    let code = call(harness.functions, harness.context, UInt32(slot), record)
                    #expect(code == APUS_UNSUPPORTED, "\(name), record \(record)")
                }
            }
        }
        for record in [1, 2, .max] as [UInt32] {
            let timers = harness.timerFunctions
            #expect(timers.set(harness.context, 0, 0, record, 1, nil, 0) == APUS_UNSUPPORTED)
            #expect(timers.cancel(harness.context, 0, 0, record) == APUS_UNSUPPORTED)
        }
        harness.end()
        #expect(harness.state.keyCount == 0)
    }

    @Test("says UNSUPPORTED between callbacks, and for a batch without hashes")
    func saysUnsupportedWithoutABatchInHand() {
        let harness = Self.make()
        harness.end()
        for (name, kinds, call) in Self.calls {
            let slot = UInt32(kinds.first ?? 0)
            #expect(
                call(harness.functions, harness.context, slot, 0) == APUS_UNSUPPORTED,
                "\(name)"
            )
        }
        var view = harness.batch.view(input: 0, isKeyed: false)
        withUnsafePointer(to: &view) { view in
            harness.state.begin(view, from: 0)
            for (name, kinds, call) in Self.calls {
                let code = call(harness.functions, harness.context, UInt32(kinds.first ?? 0), 0)
                #expect(code == APUS_UNSUPPORTED, "\(name)")
            }
            harness.state.end()
        }
    }

    @Test("says UNSUPPORTED in a context without state, or without a context")
    func saysUnsupportedWithoutState() {
        let harness = Self.make()
        harness.context.pointee.host_private = nil
        for (name, kinds, call) in Self.calls {
            let slot = UInt32(kinds.first ?? 0)
            #expect(
                call(harness.functions, harness.context, slot, 0) == APUS_UNSUPPORTED,
                "\(name)"
            )
            #expect(call(harness.functions, nil, slot, 0) == APUS_UNSUPPORTED, "\(name)")
        }
        var pointer: UnsafeMutableRawPointer?
        let functions = harness.functions
        #expect(
            functions.value_mut_many(harness.context, 0, 0, 1, &pointer, nil) == APUS_UNSUPPORTED
        )
        let timers = harness.timerFunctions
        #expect(timers.set(harness.context, 0, 0, 0, 1, nil, 0) == APUS_UNSUPPORTED)
        #expect(timers.cancel(harness.context, 0, 0, 0) == APUS_UNSUPPORTED)
        #expect(timers.cancel(nil, 0, 0, 0) == APUS_UNSUPPORTED)
    }

    @Test("says UNSUPPORTED where a result has no place to go")
    func saysUnsupportedWithoutAPlaceForTheResult() {
        let harness = Self.make()
        let functions = harness.functions
        let context = harness.context
        var cursor = apus_cursor_all()
        var value = apus_bytes()
        var entry = apus_entry()
        var count: UInt32 = 0
        let codes = [
            functions.value_get(context, 0, 0, nil),
            functions.value_mut(context, 0, 0, nil),
            functions.value_mut_many(context, 0, 0, 1, nil, nil),
            functions.counter_get(context, 2, 0, nil),
            functions.list_count(context, 3, 0, nil),
            functions.list_next(context, 3, 0, nil, &value, 1, &count),
            functions.list_next(context, 3, 0, &cursor, nil, 1, &count),
            functions.list_next(context, 3, 0, &cursor, &value, 1, nil),
            functions.map_get(context, 4, 0, [1], 1, nil),
            functions.map_count(context, 4, 0, nil),
            functions.map_next(context, 4, 0, nil, &entry, 1, &count),
            functions.map_next(context, 4, 0, &cursor, nil, 1, &count),
            functions.map_next(context, 4, 0, &cursor, &entry, 1, nil),
        ]
        #expect(codes == Array(repeating: APUS_UNSUPPORTED, count: codes.count))
    }

    @Test("takes NULL for no bytes, and says UNSUPPORTED when it is to be some")
    func takesNullForNoBytesOnly() {
        let harness = Self.make()
        let functions = harness.functions
        let timers = harness.timerFunctions
        let context = harness.context
        var value = apus_bytes()
        let calls: [(String, (UInt64) -> Int32)] = [
            ("value_put", { functions.value_put(context, 1, 0, nil, $0) }),
            ("list_append", { functions.list_append(context, 3, 0, nil, $0) }),
            ("map_put, value", { functions.map_put(context, 4, 0, [1], 1, nil, $0) }),
            ("map_put, key", { functions.map_put(context, 4, 0, nil, $0, [1], 1) }),
            ("map_get", { functions.map_get(context, 4, 0, nil, $0, &value) }),
            ("map_remove", { functions.map_remove(context, 4, 0, nil, $0) }),
            ("timer set", { timers.set(context, 0, 0, 0, 5, nil, $0) }),
        ]
        for (name, call) in calls {
            #expect(call(0) == APUS_OK, "\(name)")
            for length in [1, 5, 100_000] as [UInt64] {
                #expect(call(length) == APUS_UNSUPPORTED, "\(name), \(length) bytes")
            }
        }
        #expect(functions.value_put(context, 0, 0, nil, 8) == APUS_UNSUPPORTED)
        #expect(functions.value_put(context, 0, 0, nil, 0) == APUS_UNSUPPORTED)
        harness.end()
        #expect(harness.state.takeDue(.event, upTo: 5, into: harness.timers))
        #expect(harness.timers.records.value(0) == [])
    }

    @Test("says LIMIT for bytes of 2 GiB and more, before it reads any")
    func saysLimitForTooManyBytes() {
        let harness = Self.make()
        let functions = harness.functions
        let context = harness.context
        _ = functions.map_put(context, 4, 0, [1], 1, [1], 1)
        var value = apus_bytes()
        for length in [1 << 31, 1 << 32, .max] as [UInt64] {
            #expect(functions.value_put(context, 1, 0, [1], length) == APUS_LIMIT)
            #expect(functions.value_put(context, 0, 0, [1], length) < 0)
            #expect(functions.list_append(context, 3, 0, [1], length) == APUS_LIMIT)
            #expect(functions.map_put(context, 4, 0, [1], length, [1], 1) == APUS_LIMIT)
            #expect(functions.map_put(context, 4, 0, [1], 1, [1], length) == APUS_LIMIT)
            #expect(functions.map_get(context, 4, 0, [1], length, &value) == APUS_LIMIT)
            #expect(functions.map_remove(context, 4, 0, [1], length) == APUS_LIMIT)
            #expect(harness.timerFunctions.set(context, 0, 0, 0, 1, [1], length) == APUS_LIMIT)
        }
    }

    @Test("checks the range of value_mut_many as a whole, without overflow")
    func checksTheRangeOfValueMutMany() {
        let harness = Self.make()
        let functions = harness.functions
        var pointers = [UnsafeMutableRawPointer?](repeating: nil, count: 4)
        let ranges: [(UInt32, UInt32, Int32)] = [
            (0, 2, APUS_OK), (0, 0, APUS_OK), (2, 0, APUS_OK), (1, 1, APUS_OK),
            (0, 3, APUS_UNSUPPORTED), (2, 1, APUS_UNSUPPORTED), (3, 0, APUS_UNSUPPORTED),
            (.max, 1, APUS_UNSUPPORTED), (1, .max, APUS_UNSUPPORTED),
            (.max, .max, APUS_UNSUPPORTED),
        ]
        for (first, count, expected) in ranges {
            let code = functions.value_mut_many(
                harness.context,
                0,
                first,
                count,
                &pointers,
                nil
            )
            #expect(code == expected, "\(first), \(count)")
        }
        for slot in [1, 2, 3, 4, 5, .max] as [UInt32] {
            let code = functions.value_mut_many(harness.context, slot, 0, 1, &pointers, nil)
            #expect(code == APUS_UNSUPPORTED)
        }
    }

    @Test("says UNSUPPORTED for timers that were not declared")
    func saysUnsupportedForWrongTimers() {
        let harness = Self.make()
        for timer in [2, 3, .max] as [UInt32] {
            let set = harness.timerFunctions.set(harness.context, timer, 0, 0, 1, nil, 0)
            #expect(set == APUS_UNSUPPORTED)
            let cancel = harness.timerFunctions.cancel(harness.context, timer, 0, 0)
            #expect(cancel == APUS_UNSUPPORTED)
        }
    }

    @Test("serves an operator that declared nothing")
    func servesAnOperatorThatDeclaredNothing() {
        let harness = StateHarness(slots: [], timers: [], groupCount: 1)
        harness.begin([[1], nil])
        for (name, kinds, call) in Self.calls {
            let slot = UInt32(kinds.first ?? 0)
            #expect(
                call(harness.functions, harness.context, slot, 0) == APUS_UNSUPPORTED,
                "\(name)"
            )
        }
        harness.end()
    }

    @Test("tells the sizes of its tables")
    func tellsTheSizesOfItsTables() {
        let harness = Self.make()
        #expect(harness.functions.size == UInt32(MemoryLayout<apus_state_api>.size))
        #expect(harness.timerFunctions.size == UInt32(MemoryLayout<apus_timer_api>.size))
    }
}
