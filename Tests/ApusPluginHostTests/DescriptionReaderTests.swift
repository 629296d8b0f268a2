import ApusPluginHost
import ApusState
import ApusTestPlugins
import Testing

/// Goal: nothing that a plugin says of itself is believed unchecked.
///
/// Method: a good description, spoilt by one statement; each refusal is compared letter by letter.
@Suite("Plugin descriptions")
struct DescriptionReaderTests {
    /// A statement of C that spoils the description, and what is said to it.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let change: String
        let message: String
        var testDescription: String { change }

        init(_ change: String, _ message: String) {
            self.change = change
            self.message = message
        }
    }

    private static let nameRule = "expected 1 to 63 of a-z, 0-9, '-', '_'"
    private static let kinds =
        "this host knows sources (1), operators (2), sinks (3) and codecs (4)"
    private static let sizeHint = "set it to sizeof the struct"
    private static let long = "0123456789012345678901234567890123456789012345678901234567890123"

    private static let ofPlugin = [
        Mistake("plugin.size = 0", "apus_plugin: size is 0, expected 72; \(sizeHint)"),
        Mistake("plugin.size = 71", "apus_plugin: size is 71, expected 72; \(sizeHint)"),
        Mistake(
            "plugin.size = 65536",
            "apus_plugin: size is 65536, expected 72; \(sizeHint)"
        ),
        Mistake(
            "plugin.size = UINT32_MAX",
            "apus_plugin: size is 4294967295, expected 72; \(sizeHint)"
        ),
        Mistake("plugin.id = TEXT(\"\")", "the plugin's id is empty"),
        Mistake("plugin.id.data = NULL", "the plugin's id has a length but no text"),
        Mistake("plugin.id.len = 4097", "the plugin's id is 4097 bytes long; at most 4096"),
        Mistake("plugin.id = TEXT(\"a\\xff\")", "the plugin's id is not UTF-8"),
        Mistake("plugin.version = TEXT(\"\\xc3\")", "the version is not UTF-8"),
        Mistake(
            "plugin.vendor.len = UINT64_MAX",
            "the vendor is \(UInt64.max) bytes long; at most 4096"
        ),
        Mistake("plugin.component_count = 0", "it has no components"),
        Mistake("plugin.component_count = 257", "it declares 257 components; at most 256"),
        Mistake("plugin.components = NULL", "it declares 2 components, but the array is NULL"),
        Mistake("components[1] = NULL", "component 1 is NULL"),
        Mistake(
            "other_component.id = TEXT(\"first\")",
            "component id 'first' is declared twice"
        ),
    ]

    private static let ofComponent = [
        Mistake("component.size = 0", "component 0: size is 0, expected 120; \(sizeHint)"),
        Mistake(
            "other_component.size = UINT32_MAX",
            "component 1: size is 4294967295, expected 120; \(sizeHint)"
        ),
        Mistake("component.kind = 0", "component 0 is of kind 0; \(kinds)"),
        Mistake("component.kind = 5", "component 0 is of kind 5; \(kinds)"),
        Mistake(
            "component.kind = APUS_SOURCE, vt.open = NULL",
            "component 0 lacks list_splits, open, poll or write_position"
        ),
        Mistake("component.vt = NULL", "component 0 has no function table (vt)"),
        Mistake("vt.size = 8", "component 0's vt: size is 8, expected 48; \(sizeHint)"),
        Mistake("vt.process = NULL", "component 0 lacks process"),
        Mistake("component.create = NULL", "component 0 lacks create or destroy"),
        Mistake("component.destroy = NULL", "component 0 lacks create or destroy"),
        Mistake("component.id = TEXT(\"\")", "component 0's id is ''; \(nameRule)"),
        Mistake(
            "component.id = TEXT(\"Two Words\")",
            "component 0's id is 'Two Words'; \(nameRule)"
        ),
        Mistake("component.id = long_text", "component 0's id is '\(long)'; \(nameRule)"),
        Mistake("component.id = TEXT(\"\\x80\")", "component 0's id is not UTF-8"),
        Mistake("component.summary = TEXT(\"\\xe2\\x82\")", "component 0's summary is not UTF-8"),
        Mistake("component.flags = 0", "'first' has state or timers but is not APUS_KEYED"),
        Mistake(
            "component.flags = 0, component.state_count = 0",
            "'first' has state or timers but is not APUS_KEYED"
        ),
        Mistake("vt.on_timers = NULL", "'first' declares timers but has no on_timers"),
        Mistake("component.input_count = 0", "'first' has no input"),
    ]

    private static let ofOutputs = [
        Mistake("component.output_count = 0", "'first' has no output; declare a main output"),
        Mistake("component.output_count = 300", "it declares 300 outputs; at most 256"),
        Mistake("component.outputs = NULL", "it declares 2 outputs, but the array is NULL"),
        Mistake("ports[1] = NULL", "output 1 is NULL"),
        Mistake("port.size = 1", "output 0: size is 1, expected 40; \(sizeHint)"),
        Mistake(
            "port.name = TEXT(\"a.b\")",
            "the name of output 0 of 'first' is 'a.b'; \(nameRule)"
        ),
        Mistake("side.name = TEXT(\"main\")", "output of 'first' 'main' is declared twice"),
    ]

    private static let ofStates = [
        Mistake("component.state_count = 33", "'first' declares 33 states; at most 32"),
        Mistake(
            "component.state_count = UINT32_MAX",
            "'first' declares 4294967295 states; at most 32"
        ),
        Mistake("component.states = NULL", "it declares 2 states, but the array is NULL"),
        Mistake("states[0] = NULL", "state 0 is NULL"),
        Mistake("state.size = 2", "state 0: size is 2, expected 56; \(sizeHint)"),
        Mistake(
            "state.name = TEXT(\"\")",
            "the name of state 0 of 'first' is ''; \(nameRule)"
        ),
        Mistake(
            "state.schema_version = 0",
            "state 'total' of 'first' has schema_version 0; begin with 1"
        ),
        Mistake("other_state.kind = 0", "state 'index' of 'first': unknown kind 0"),
        Mistake(
            "other_state.kind = 5",
            "state 'index' of 'first': broadcast state belongs in `broadcasts`, not in `states`"
        ),
        Mistake(
            "component.operator_state_count = 33",
            "'first' declares 33 operator states; at most 32"
        ),
        Mistake(
            "component.operator_states = NULL",
            "it declares 1 operator states, but the array is NULL"
        ),
        Mistake("operator_states[0] = NULL", "operator state 0 is NULL"),
        Mistake("items.size = 40", "operator state 0: size is 40, expected 48; \(sizeHint)"),
        Mistake(
            "items.name = TEXT(\"Items\")",
            "the name of operator state 0 of 'first' is 'Items'; \(nameRule)"
        ),
        Mistake("items.name = state.name", "state of 'first' 'total' is declared twice"),
        Mistake(
            "items.redistribution = 0",
            "state 'items' of 'first' has the redistribution 0; expected APUS_SPLIT (1) or "
                + "APUS_UNION (2)"
        ),
        Mistake(
            "items.schema_version = 0",
            "state 'items' of 'first' has schema_version 0; expected 1 to 65,535"
        ),
        Mistake(
            "component.broadcast_count = 33",
            "'first' declares 33 broadcast states; at most 32"
        ),
        Mistake(
            "component.broadcast_input_count = 257",
            "'first' takes 257 broadcast inputs; at most 256"
        ),
        Mistake(
            "component.broadcast_input_count = 1",
            "'first' has broadcast inputs or states but no process_broadcast"
        ),
        Mistake(
            "vt.process_broadcast = vt.process, component.broadcast_count = 1",
            "'first' has broadcast states but no broadcast input to change them"
        ),
        Mistake(
            "vt.process_broadcast = vt.process, component.broadcast_input_count = 1, "
                + "component.broadcast_count = 1",
            "it declares 1 broadcast states, but the array is NULL"
        ),
        Mistake("other_state.kind = 6", "state 'index' of 'first': unknown kind 6"),
        Mistake(
            "other_state.kind = UINT32_MAX",
            "state 'index' of 'first': unknown kind 4294967295"
        ),
        Mistake(
            "other_state.fixed_len = 8",
            "state 'index' of 'first': fixed_len is for VALUE, 1 to 65,536; found 8"
        ),
        Mistake(
            "state.fixed_len = 65537",
            "state 'total' of 'first': fixed_len is for VALUE, 1 to 65,536; found 65537"
        ),
        Mistake("state.schema = TEXT(\"\\xff\")", "the schema of 'total' is not UTF-8"),
        Mistake(
            "other_state.name = TEXT(\"total\")",
            "state of 'first' 'total' is declared twice"
        ),
    ]

    private static let ofTimersAndCounters = [
        Mistake("component.timer_count = 257", "it declares 257 timers; at most 256"),
        Mistake("component.timers = NULL", "it declares 2 timers, but the array is NULL"),
        Mistake("timers[1] = NULL", "timer 1 is NULL"),
        Mistake("timer.size = 3", "timer 0: size is 3, expected 24; \(sizeHint)"),
        Mistake("timer.domain = 0", "timer 'due' of 'first': unknown domain 0"),
        Mistake("other_timer.domain = 3", "timer 'tick' of 'first': unknown domain 3"),
        Mistake(
            "other_timer.name = TEXT(\"Tick\")",
            "the name of timer 1 of 'first' is 'Tick'; \(nameRule)"
        ),
        Mistake("other_timer.name = TEXT(\"due\")", "timer of 'first' 'due' is declared twice"),
        Mistake("component.counter_count = 1000", "it declares 1000 counters; at most 256"),
        Mistake("component.counters = NULL", "it declares 2 counters, but the array is NULL"),
        Mistake("counters[0] = NULL", "counter 0 is NULL"),
        Mistake("counter.size = 0", "counter 0: size is 0, expected 40; \(sizeHint)"),
        Mistake(
            "counter.name = TEXT(\"a b\")",
            "the name of counter 0 of 'first' is 'a b'; \(nameRule)"
        ),
        Mistake("other_counter.name = counter.name", "counter of 'first' 'seen' is declared twice"),
    ]

    @Test(
        "a bad description is refused with its place and the rule",
        arguments: ofPlugin + ofComponent + ofOutputs + ofStates + ofTimersAndCounters
    )
    func aBadDescriptionIsRefused(mistake: Mistake) throws {
        let path = try TestPlugin.badDescription(mistake.change)
        let error = try PluginWorld().refusal(path)
        #expect(error == PluginError(.badDescription, path, mistake.message))
    }

    @Test("a plugin that needs a newer minor version is incompatible")
    func aPluginThatNeedsANewerMinorVersionIsIncompatible() throws {
        let path = try TestPlugin.badDescription("plugin.abi_minor_floor = 4")
        let error = try PluginWorld().refusal(path)
        #expect(
            error
                == PluginError(
                    .incompatible,
                    path,
                    "needs ABI 0.4 or newer, this host has 0.3; update Apus, or compile the plugin "
                        + "for that"
                )
        )
    }

    @Test("a plugin that needs an extension that is not there is incompatible")
    func aPluginThatNeedsAnExtensionThatIsNotThereIsIncompatible() throws {
        let path = try TestPlugin.badDescription(
            "static const char *const needs[] = {\"no.such/1\", NULL}; component.needs = needs"
        )
        let error = try PluginWorld().refusal(path)
        #expect(error?.code == .incompatible)
        let start = "'first' needs the extension 'no.such/1', which this host does not have"
        #expect(error?.message.hasPrefix(start) == true)
    }

    @Test(
        "structs larger than this host knows are accepted",
        arguments: [
            "plugin.size = 65535", "component.size = 200", "items.size = 64",
            "component.size = offsetof(apus_component, operator_state_count)",
            "vt.size = 100", "port.size = 64",
            "plugin.abi_minor = 9", "plugin.abi_minor_floor = 1", "plugin.abi_minor_floor = 2",
            "plugin.vendor = TEXT(\"\")",
        ]
    )
    func structsLargerThanThisHostKnowsAreAccepted(change: String) throws {
        _ = try PluginWorld().loader.load(try TestPlugin.badDescription(change))
    }

    @Test("a good description is copied as it is")
    func aGoodDescriptionIsCopiedAsItIs() throws {
        let plugin = try PluginWorld().loader.load(try TestPlugin.badDescription("(void)0"))
        let description = plugin.description
        #expect(description.id == "test.description")
        #expect(description.version == "0.0.1")
        #expect(description.vendor == "Apus")
        #expect(description.abiMinor == 3)
        let first = try #require(description.components.first)
        #expect(first.id == "first")
        #expect(first.summary == "does nothing")
        #expect(first.isKeyed)
        #expect(!first.acceptsNullKey)
        #expect(first.inputCount == 1)
        #expect(first.outputs == ["main", "side"])
        #expect(first.states.map(\.slot.name) == ["total", "index"])
        #expect(first.states.map(\.slot.kind) == [.fixedValue(byteCount: 8), .map])
        #expect(first.states.map(\.schemaVersion) == [1, 2])
        #expect(first.states.map(\.schema) == ["u64", ""])
        #expect(first.timers.map(\.name) == ["due", "tick"])
        #expect(first.timers.map(\.domain) == [.event, .processing])
        #expect(first.counters.map(\.name) == ["seen", "lost"])
        #expect(first.operatorStates.map(\.name) == ["items"])
        #expect(first.operatorStates.map(\.redistribution) == [.split])
        #expect(first.operatorStates.map(\.schemaVersion) == [4])
        #expect(first.operatorStates.map(\.schema) == ["bytes"])
        let second = try #require(description.components.last)
        #expect(!second.isKeyed)
        #expect(second.acceptsNullKey)
        #expect(second.inputCount == 3)
    }
}
