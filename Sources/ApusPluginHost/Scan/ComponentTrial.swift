import CApusGuard
import CApusPlugin

/// What came of making an instance of a component with the configuration `{}`.
package struct ComponentTrial: Codable, Equatable, Sendable {
    /// How it went.
    package enum Outcome: String, Codable, Sendable {
        /// It was made, and destroyed again.
        case created
        /// The plugin refused: mostly because it wants a configuration.
        case refused
        /// Something was thrown.
        case threw
    }

    /// The component's id.
    package let component: String
    /// How it went.
    package let outcome: Outcome
    /// What the plugin said.
    package let message: String

    private static let subtaskCountMax: UInt32 = 128

    /// Makes and destroys an instance of each component.
    package static func run(_ plugin: LoadedPlugin) -> [ComponentTrial] {
        zip(plugin.description.components.map(\.id), plugin.components).map { id, component in
            run(plugin, id, component)
        }
    }

    private static func run(
        _ plugin: LoadedPlugin,
        _ id: String,
        _ component: UnsafePointer<apus_component>
    ) -> ComponentTrial {
        let site = CallSite(
            "plugin \(plugin.description.id) \(plugin.description.version), component \(id)"
        )
        var error = CallSite.emptyError
        var instance: UnsafeMutableRawPointer?
        let code = withArguments { arguments in
            // SAFETY: the reader has checked that create is there; the arguments are valid until
            // it returns, and the guard catches what it throws.
            apus_guard_create(site.pointer, component, arguments, &instance, &error)
        }
        guard code == APUS_OK else {
            return ComponentTrial(
                component: id,
                outcome: code == APUS_EXCEPTION ? .threw : .refused,
                message: CallSite.message(of: &error) ?? "without a text (code \(code))"
            )
        }
        apus_guard_destroy(site.pointer, component, instance)
        return ComponentTrial(component: id, outcome: .created, message: "")
    }

    private static func withArguments(
        _ body: (UnsafePointer<apus_args>) -> Int32
    ) -> Int32 {
        var configuration: StaticString { "{}" }
        var name: StaticString { "scan" }
        // SAFETY: static strings live as long as the process.
        let text = apus_str(
            data: UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self),
            len: UInt64(name.utf8CodeUnitCount)
        )
        var arguments = apus_args()
        arguments.size = UInt32(MemoryLayout<apus_args>.size)
        arguments.parallelism = 1
        arguments.max_parallelism = subtaskCountMax
        arguments.config = apus_bytes(
            data: configuration.utf8Start,
            len: UInt64(configuration.utf8CodeUnitCount)
        )
        arguments.job = text
        arguments.operator_id = text
        return withUnsafePointer(to: arguments, body)
    }
}
