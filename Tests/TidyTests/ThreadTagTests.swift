import Testing

/// Whoever reads the plugin ABI learns from each function's comment where it may be called.
@Suite("Tidy: thread tags")
struct ThreadTagTests {
    @Test("every function of the plugin ABI has a thread tag")
    func everyFunctionOfThePluginAbiHasAThreadTag() {
        expectNone(Repository.code.flatMap(ThreadTagRule.check))
    }

    static let example = """
        typedef void (*apus_callback)(void *);
        typedef struct apus_operator_vt {
          uint32_t size;

          // Attaches the state.
          // [op]
          int32_t (*open)(void *self, apus_ctx *);
          int32_t (*close)(void *self, apus_ctx *);  /* [op, not hot] */
          int32_t (*process)(
              void *self,  // not [mine]
              apus_callback
          );

          // [ctl]

          void (*far)(void);
          const void *(*get_ext)(const char *id);  // any
        } apus_operator_vt;
        static inline void apus_call(void) { free((void *)(uintptr_t)1); }
        """

    @Test("finds the function pointers whose comment has no tag")
    func findsTheFunctionPointersWhoseCommentHasNoTag() {
        let file = SourceFile(path: "sdk/c/include/apus/operator.h", text: Self.example)
        let found = ThreadTagRule.check(file)
        #expect(found.map { $0.problem.prefix { $0 != " " } } == ["process", "far", "get_ext"])
        #expect(found.map(\.line) == [12, 16, 17])
    }

    @Test("looks at the public headers only")
    func looksAtThePublicHeadersOnly() {
        let file = SourceFile(path: "Sources/CApusShims/include/shims.h", text: Self.example)
        #expect(ThreadTagRule.check(file).isEmpty)
    }
}
