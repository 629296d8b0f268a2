import ApusCore
import ApusMemory
import ApusTestSupport
import CApusPlugin
import Testing

@testable import ApusState

/// Single cases of state: what a key costs, what outlives what, and what must not be confused.
@Suite("KeyedState")
struct KeyedStateTests {
    static let long = Array("a key that is longer than a slice holds in place".utf8)

    static func make(_ kinds: SlotDescription.Kind...) -> StateHarness {
        let slots = kinds.enumerated().map { SlotDescription(name: "s\($0)", kind: $1) }
        return StateHarness(slots: slots, timers: [.event, .processing], groupCount: 8)
    }

    static func list(_ harness: StateHarness, _ slot: UInt32, _ record: UInt32) -> [[UInt8]] {
        var cursor = apus_cursor_all()
        var values = [apus_bytes](repeating: apus_bytes(), count: 100)
        var count: UInt32 = 0
        let code = harness.functions.list_next(
            harness.context,
            slot,
            record,
            &cursor,
            &values,
            100,
            &count
        )
        return code == APUS_OK ? values.prefix(Int(count)).map { [UInt8]($0) } : []
    }

    @Test("costs nothing for a key that was only read")
    func costsNothingForAKeyThatWasOnlyRead() {
        let harness = Self.make(.fixedValue(byteCount: 8), .value, .counter, .list, .map)
        let functions = harness.functions
        harness.begin([[1], Self.long, []])
        for record in 0..<3 as Range<UInt32> {
            var bytes = apus_bytes()
            var sum: Int64 = 7
            var count: UInt64 = 7
            for slot in 0...1 as ClosedRange<UInt32> {
                #expect(
                    functions.value_get(harness.context, slot, record, &bytes) == APUS_NOT_FOUND
                )
            }
            #expect(functions.counter_get(harness.context, 2, record, &sum) == APUS_NOT_FOUND)
            #expect(sum == 0)
            #expect(functions.list_count(harness.context, 3, record, &count) == APUS_NOT_FOUND)
            #expect(count == 0)
            #expect(functions.map_remove(harness.context, 4, record, [1], 1) == APUS_NOT_FOUND)
            #expect(functions.clear(harness.context, 0, record) == APUS_NOT_FOUND)
            #expect(harness.timerFunctions.cancel(harness.context, 0, 0, record) == APUS_NOT_FOUND)
        }
        harness.end()
        #expect(harness.state.keyCount == 0)
        #expect(harness.state.byteCount == 0)
    }

    @Test("keeps nothing of a key whose last slot was cleared, nor shows it to the next one")
    func keepsNothingOfAClearedKey() {
        let harness = Self.make(.fixedValue(byteCount: 8), .counter, .value)
        for round in 0..<3_000 as Range<UInt64> {
            // Rows are used again by other keys, short and long ones in turn.
            let key = withUnsafeBytes(of: round) { Array($0) } + (round % 2 == 0 ? Self.long : [])
            harness.begin([key])
            var pointer: UnsafeMutableRawPointer?
            #expect(harness.functions.value_mut(harness.context, 0, 0, &pointer) == APUS_OK)
            #expect(pointer?.load(as: UInt64.self) == 0, "round \(round)")
            pointer?.storeBytes(of: .max, as: UInt64.self)
            var sum: Int64 = 0
            _ = harness.functions.counter_add(harness.context, 1, 0, 5, &sum)
            #expect(sum == 5)
            _ = harness.functions.value_put(harness.context, 2, 0, key, UInt64(key.count))
            for slot in 0..<3 as Range<UInt32> {
                #expect(harness.functions.clear(harness.context, slot, 0) == APUS_OK)
            }
            harness.end()
            #expect(harness.state.keyCount == 0)
            #expect(harness.state.pool.usedByteCount == 0)
        }
    }

    @Test("keeps a key that is cleared and written again in one callback")
    func keepsAKeyThatIsWrittenAgain() {
        let harness = Self.make(.counter)
        harness.begin([Self.long, Self.long])
        for _ in 0..<3 {
            #expect(harness.functions.counter_add(harness.context, 0, 0, 5, nil) == APUS_OK)
            #expect(harness.functions.clear(harness.context, 0, 1) == APUS_OK)
        }
        #expect(harness.functions.counter_add(harness.context, 0, 1, 8, nil) == APUS_OK)
        harness.end()
        #expect(harness.state.keyCount == 1)
        harness.begin([Self.long])
        var sum: Int64 = 0
        #expect(harness.functions.counter_get(harness.context, 0, 0, &sum) == APUS_OK)
        #expect(sum == 8)
        harness.end()
    }

    @Test("tells records without key from those with an empty one")
    func tellsRecordsWithoutKeyFromThoseWithAnEmptyOne() {
        let harness = Self.make(.fixedValue(byteCount: 8))
        harness.begin([[]])
        var pointer: UnsafeMutableRawPointer?
        #expect(harness.functions.value_mut(harness.context, 0, 0, &pointer) == APUS_OK)
        harness.end()
        harness.begin([nil, [], nil])
        var pointers = [UnsafeMutableRawPointer?](repeating: harness.context, count: 3)
        var created = [UInt8](repeating: 9, count: 3)
        let code = harness.functions.value_mut_many(
            harness.context,
            0,
            0,
            3,
            &pointers,
            &created
        )
        #expect(code == APUS_OK)
        #expect(pointers == [nil, pointer, nil])
        #expect(created == [0, 0, 0])
        harness.end()
    }

    @Test("counts around the ends of 64 bits")
    func countsAroundTheEnds() {
        let harness = Self.make(.counter)
        harness.begin([[1]])
        var sum: Int64 = 0
        _ = harness.functions.counter_add(harness.context, 0, 0, .max, &sum)
        #expect(harness.functions.counter_add(harness.context, 0, 0, 1, &sum) == APUS_OK)
        #expect(sum == .min)
        // A sum of 0 is a sum.
        _ = harness.functions.counter_add(harness.context, 0, 0, .min, &sum)
        #expect(harness.functions.counter_get(harness.context, 0, 0, &sum) == APUS_OK)
        #expect(sum == 0)
        harness.end()
        #expect(harness.state.keyCount == 1)
    }

    // MARK: - Lists and maps

    @Test(
        "appends a list's own values to it while its memory grows",
        arguments: [1, 12, 60, 40_000]
    )
    func appendsAListsOwnValues(byteCount: Int) {
        let harness = Self.make(.list)
        harness.begin([[1]])
        let first = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 + 1) }
        _ = harness.functions.list_append(harness.context, 0, 0, first, UInt64(byteCount))
        for count in 2...40 {
            var cursor = apus_cursor_all()
            var value = apus_bytes()
            var filled: UInt32 = 0
            _ = harness.functions.list_next(harness.context, 0, 0, &cursor, &value, 1, &filled)
            let code = harness.functions.list_append(
                harness.context,
                0,
                0,
                value.data,
                value.len
            )
            #expect(code == APUS_OK)
            let list = Self.list(harness, 0, 0)
            #expect(list.count == count)
            #expect(list.allSatisfy { $0 == first }, "after \(count)")
        }
        harness.end()
    }

    @Test("notices a write when a list or map was cleared and made anew")
    func noticesAWriteWhenMadeAnew() {
        let harness = Self.make(.list, .map)
        let functions = harness.functions
        let context = harness.context
        harness.begin([[1]])
        for length in [0, 1, 16, 100] {
            // As many writes before as after, so that counting writes since the start is no help.
            let old = [UInt8](repeating: 0x62, count: 4)
            let new = [UInt8](repeating: 0x63, count: length)
            _ = functions.list_append(context, 0, 0, old, 4)
            _ = functions.map_put(context, 1, 0, old, 4, old, 4)
            var listCursor = apus_cursor_all()
            var mapCursor = apus_cursor_all()
            var value = apus_bytes()
            var entry = apus_entry()
            var count: UInt32 = 0
            #expect(functions.list_next(context, 0, 0, &listCursor, &value, 1, &count) == APUS_OK)
            #expect(functions.map_next(context, 1, 0, &mapCursor, &entry, 1, &count) == APUS_OK)
            _ = functions.clear(context, 0, 0)
            _ = functions.clear(context, 1, 0)
            _ = functions.list_append(context, 0, 0, new, UInt64(length))
            _ = functions.map_put(context, 1, 0, new, UInt64(length), new, UInt64(length))
            #expect(
                functions.list_next(context, 0, 0, &listCursor, &value, 1, &count) == APUS_STALE
            )
            #expect(count == 0)
            #expect(functions.map_next(context, 1, 0, &mapCursor, &entry, 1, &count) == APUS_STALE)
            #expect(count == 0)
            _ = functions.clear(context, 0, 0)
            _ = functions.clear(context, 1, 0)
        }
        harness.end()
    }

    @Test("does not let a cursor walk on in another key's list")
    func doesNotLetACursorWalkOnInAnotherList() {
        let harness = Self.make(.list, .list)
        harness.begin([[1], [2]])
        let lengths: [(slot: UInt32, record: UInt32, byteCount: Int)] = [
            (0, 0, 4), (0, 1, 16), (1, 0, 16),
        ]
        for (slot, record, byteCount) in lengths {
            let bytes = [UInt8](repeating: 0x7f, count: byteCount)
            _ = harness.functions.list_append(
                harness.context,
                slot,
                record,
                bytes,
                UInt64(byteCount)
            )
        }
        var cursor = apus_cursor_all()
        var value = apus_bytes()
        var count: UInt32 = 0
        let functions = harness.functions
        #expect(functions.list_next(harness.context, 0, 0, &cursor, &value, 1, &count) == APUS_OK)
        #expect(
            functions.list_next(harness.context, 0, 1, &cursor, &value, 1, &count) == APUS_STALE
        )
        #expect(
            functions.list_next(harness.context, 1, 0, &cursor, &value, 1, &count) == APUS_STALE
        )
        #expect(functions.list_next(harness.context, 0, 0, &cursor, &value, 1, &count) == APUS_OK)
        #expect(count == 0, "at the end")
        harness.end()
    }

    @Test("removes an entry by a key that lies in the entry itself, and the map with the last one")
    func removesAnEntryByItsOwnKey() {
        let harness = Self.make(.map)
        harness.begin([[1]])
        for number in 0..<100 as Range<UInt8> {
            let key = [number] + Self.long
            _ = harness.functions.map_put(
                harness.context,
                0,
                0,
                key,
                UInt64(key.count),
                key,
                UInt64(key.count)
            )
        }
        for left in (0..<100).reversed() {
            var cursor = apus_cursor_all()
            var entry = apus_entry()
            var count: UInt32 = 0
            _ = harness.functions.map_next(harness.context, 0, 0, &cursor, &entry, 1, &count)
            #expect(count == 1)
            // Stored once more under its own key, then removed by the new entry's key.
            let put = harness.functions.map_put(
                harness.context,
                0,
                0,
                entry.key.data,
                entry.key.len,
                entry.value.data,
                entry.value.len
            )
            #expect(put == APUS_OK)
            cursor = apus_cursor_all()
            _ = harness.functions.map_next(harness.context, 0, 0, &cursor, &entry, 1, &count)
            #expect(Array(entry.key) == Array(entry.value))
            let code = harness.functions.map_remove(
                harness.context,
                0,
                0,
                entry.key.data,
                entry.key.len
            )
            #expect(code == APUS_OK)
            var total: UInt64 = 99
            _ = harness.functions.map_count(harness.context, 0, 0, &total)
            #expect(total == left)
        }
        harness.end()
        #expect(harness.state.keyCount == 0)
        #expect(harness.state.pool.usedByteCount == 0)
    }
}
