/// Changes from one version of an operator to another, with what is to be said of each.
///
/// Written by hand from the rules in docs/swap.md, not by the code that is tested; a row is read by
/// ``ChangeRow``.
enum ChangeTable {
    /// A state of each kind that stays, comes, goes, or gets other bytes.
    static let states = """
        a value | a value | a=as-is | keeps back
        a value/8 | a value/8 | a=as-is | keeps back
        a counter | a counter | a=as-is | keeps back
        a list | a list | a=as-is | keeps back
        a map | a map | a=as-is | keeps back
        a value v7 | a value v7 | a=as-is | keeps back
        a value v2 | a value v2 reads1 | a=as-is | keeps back
        - | a value | a=new | -
        - | a value/8 | a=new | -
        - | a counter | a=new | -
        - | a list | a=new | -
        - | a map | a=new | -
        a value | - | a=dropped | -
        a value/8 | - | a=dropped | -
        a counter | - | a=dropped | -
        a list | - | a=dropped | -
        a map | - | a=dropped | -
        a value | a value v2 | a=incompatible | refused | min_readable 1
        a value/8 | a value/8 v2 | a=incompatible | refused | min_readable 1
        a counter | a counter v2 | a=incompatible | refused | min_readable 1
        a list | a list v2 | a=incompatible | refused | min_readable 1
        a map | a map v2 | a=incompatible | refused | min_readable 1
        a value | a value v2 reads1 | a=migrate | -
        a value/8 | a value/8 v2 reads1 | a=migrate | -
        a counter | a counter v2 reads1 | a=migrate | -
        a list | a list v2 reads1 | a=migrate | -
        a map | a map v2 reads1 | a=migrate | -
        a value | a value v2 reads1 back | a=migrate | back
        a value/8 | a value/8 v2 reads1 back | a=migrate | back
        a counter | a counter v2 reads1 back | a=migrate | back
        a list | a list v2 reads1 back | a=migrate | back
        a map | a map v2 reads1 back | a=migrate | back
        """

    /// Versions, lengths and kinds of a state.
    static let versions = """
        a value v1 | a value v3 reads2 | a=incompatible | refused | reads versions from 2 on
        a value v2 | a value v3 reads2 | a=migrate | -
        a value v2 | a value v3 reads1 back | a=migrate | back
        a value v1 | a value v9 reads1 | a=migrate | -
        a map v4 | a map v9 reads5 | a=incompatible | refused | a version in between
        a map v5 | a map v9 reads5 | a=migrate | -
        a value v2 | a value v1 | a=incompatible | refused | use `apus swap rollback`
        a value v3 | a value v2 reads1 back | a=incompatible | refused | schema version 3
        a counter v2 | a counter v1 | a=incompatible | refused | use `apus swap rollback`
        a list v2 | a list v1 | a=incompatible | refused | use `apus swap rollback`
        a map v2 | a map v1 | a=incompatible | refused | use `apus swap rollback`
        a value/8 v2 | a value/8 v1 | a=incompatible | refused | use `apus swap rollback`
        a value/8 | a value/16 | a=incompatible | refused | has 8 bytes in the running
        a value/8 | a value/4 | a=incompatible | refused | raise schema_version
        a value/8 | a value | a=incompatible | refused | any number of bytes in the new one
        a value | a value/8 | a=incompatible | refused | any number of bytes in the running
        a value/8 | a value/16 v2 | a=incompatible | refused | min_readable 1
        a value/8 | a value/16 v2 reads1 | a=migrate | -
        a value/16 | a value/8 v2 reads1 back | a=migrate | back
        a value/8 | a value v2 reads1 | a=migrate | -
        a value | a value/8 v2 reads1 back | a=migrate | back
        a value | a counter | a=incompatible | refused | is a value in the running version
        a counter | a value | a=incompatible | refused | give the new kind another name
        a value | a list | a=incompatible | refused | give the new kind another name
        a list | a map | a=incompatible | refused | is a list in the running version and a map
        a map | a value | a=incompatible | refused | give the new kind another name
        a counter | a list v2 reads1 | a=incompatible | refused | is a counter
        a value/8 | a counter v2 reads1 back | a=incompatible | refused | is a value
        """

    /// Names, places and homes of states.
    static let names = """
        a value | b value was:a | b=as-is | keeps back
        a value/8 | b value/8 was:a | b=as-is | keeps back
        a counter | b counter was:a | b=as-is | keeps back
        a list | b list was:a | b=as-is | keeps back
        a map | b map was:a | b=as-is | keeps back
        a value | b value | b=new a=dropped | -
        a value | b value was:c | b=new a=dropped | -
        a value | b value v2 reads1 was:a | b=migrate | -
        a value | b value v2 reads1 back was:a | b=migrate | back
        a value | b value v2 was:a | b=incompatible | refused | min_readable 1
        a value | b map was:a | b=incompatible | refused | is a value
        a value/8 | b value/4 was:a | b=incompatible | refused | raise schema_version
        a value, b value | b value was:a | b=as-is a=dropped | -
        a value, b value | a value was:b, b value was:a | a=as-is b=as-is | keeps back
        a value | a value, b value was:a | a=as-is b=incompatible | refused | renamed_from
        a value | b value was:a, a value | b=incompatible a=incompatible | refused | was it too
        a value | b value was:a, c value was:a | b=as-is c=incompatible | refused | was it too
        b value | b value was:a, a value | b=as-is a=new | -
        a value, b counter | b counter, a value | b=as-is a=as-is | back
        a list, b map, c value | c value, a list, b map | c=as-is a=as-is b=as-is | back
        a value | b value, a value | b=new a=as-is | -
        a value | a value, b value | a=as-is b=new | -
        a value, b value | b value | b=as-is a=dropped | -
        a value, b value | a value | a=as-is b=dropped | -
        a value, b map | c value was:a, d map was:b | c=as-is d=as-is | keeps back
        a value, b map | d map was:b, c value was:a | d=as-is c=as-is | back
        a value | a broadcast | a=dropped a=incompatible | refused | and a broadcast state in
        a map | a split | a=dropped a=incompatible | refused | and an operator state in
        a broadcast | a map | a=incompatible a=dropped | refused | and a state of each key in
        a split | a broadcast | a=incompatible a=dropped | refused | and a broadcast state in
        a value | b broadcast was:a | a=dropped b=new | barrier
        a value | a event | a=dropped a=new | -
        """

    /// Timers, and states beside them.
    static let timers = """
        t event | t event | t=as-is | keeps back
        t processing | t processing | t=as-is | keeps back
        - | t event | t=new | -
        - | t processing | t=new | -
        t event | - | t=incompatible | refused | armed ones would never fire
        t processing | - | t=incompatible | refused | do nothing when it fires
        t event | t processing | t=incompatible | refused | fires in event time
        t processing | t event | t=incompatible | refused | fires in processing time
        t event | t processing v2 reads1 | t=incompatible | refused | give the new one another
        t event | u event | u=new t=incompatible | refused | keep the timer
        t event | t event v2 | t=incompatible | refused | min_readable 1
        t event | t event v2 reads1 | t=migrate | -
        t processing | t processing v2 reads1 | t=migrate | -
        t event v2 | t event v3 reads1 | t=migrate | -
        t event v1 | t event v3 reads2 | t=incompatible | refused | reads versions from 2 on
        t event v2 | t event v1 | t=incompatible | refused | use `apus swap rollback`
        t event, u event | u event, t event | u=as-is t=as-is | back
        t event, u event | t event | t=as-is u=incompatible | refused | never fire
        t event | t event, u processing | t=as-is u=new | -
        a value, t event | a value, t event | a=as-is t=as-is | keeps back
        a value, t event | a value v2 reads1, t event | a=migrate t=as-is | -
        a value, t event | a value v2 reads1 back, t event | a=migrate t=as-is | back
        a map, t event | a map v2 reads1 back, t event v2 reads1 | a=migrate t=migrate | -
        a value, t event | t event | a=dropped t=as-is | -
        a value, t event | a value | a=as-is t=incompatible | refused | never fire
        """

    /// State of the whole operator: broadcast, operator state, private snapshot.
    static let whole = """
        r broadcast | r broadcast | r=as-is | keeps back
        - | r broadcast | r=new | keeps barrier
        r broadcast | - | r=dropped | keeps barrier
        r broadcast | r broadcast v2 | r=incompatible | refused | min_readable 1
        r broadcast | r broadcast v2 reads1 | r=migrate | keeps barrier
        r broadcast | r broadcast v2 reads1 back | r=migrate | keeps back barrier
        r broadcast v2 | r broadcast v1 | r=incompatible | refused | use `apus swap rollback`
        r broadcast v1 | r broadcast v3 reads2 | r=incompatible | refused | from 2 on
        r broadcast | s broadcast was:r | s=as-is | keeps back
        r broadcast | s broadcast v2 reads1 back was:r | s=migrate | keeps back barrier
        r broadcast, s broadcast | s broadcast, r broadcast | s=as-is r=as-is | keeps back
        o split | o split | o=as-is | keeps back
        o union | o union | o=as-is | keeps back
        - | o split | o=new | keeps barrier
        - | o union | o=new | keeps barrier
        o split | - | o=dropped | keeps barrier
        o union | - | o=dropped | keeps barrier
        o split | o union | o=incompatible | refused | is a split in the running version
        o union | o split v2 reads1 | o=incompatible | refused | is a union
        o split | o split v2 | o=incompatible | refused | min_readable 1
        o split | o split v2 reads1 | o=migrate | keeps barrier
        o union | o union v2 reads1 back | o=migrate | keeps back barrier
        o split v2 | o split v1 | o=incompatible | refused | use `apus swap rollback`
        o split v1 | o split v4 reads3 | o=incompatible | refused | reads versions from 3 on
        o split | p split was:o | p=as-is | keeps back
        o split | p split | p=new o=dropped | keeps barrier
        snapshot v1 | snapshot v1 | snapshot=as-is | keeps back
        - | snapshot v1 | snapshot=new | keeps barrier
        snapshot v1 | - | snapshot=dropped | keeps barrier
        snapshot v1 | snapshot v2 | snapshot=migrate | keeps barrier
        snapshot v2 | snapshot v1 | snapshot=incompatible | refused | `apus swap rollback`
        a map, r broadcast | a map v2 reads1 back, r broadcast | a=migrate r=as-is | back
        a map, r broadcast | a map, r broadcast v2 reads1 | a=as-is r=migrate | keeps barrier
        o split, snapshot v1 | o split, snapshot v1 | o=as-is snapshot=as-is | keeps back
        a map, snapshot v1 | a map, snapshot v2 | a=as-is snapshot=migrate | keeps barrier
        """

    /// Keys, inputs, outputs, asynchronous calls.
    static let ports = """
        - | - | - | keeps back
        unkeyed | unkeyed | - | keeps back
        unkeyed | - | keys=incompatible | refused | is not keyed, the new one keyed
        - | unkeyed | keys=incompatible | refused | use `apus job upgrade`
        nullkey | nullkey | - | keeps back
        - | nullkey | - | keeps back
        nullkey | - | keys=incompatible | refused | keep APUS_ACCEPTS_NULL_KEY
        nullkey | unkeyed | keys=incompatible | refused | how records are dealt out
        outputs:out | outputs:main | outputs=incompatible | refused | expected out
        outputs:a+b | outputs:b+a | outputs=incompatible | refused | a change of the graph
        outputs:a | outputs:a+b | outputs=incompatible | refused | found a, b
        outputs:a+b | outputs:a | outputs=incompatible | refused | expected a, b
        inputs2 | inputs1 | inputs=incompatible | refused | expected 2 inputs
        inputs1 | inputs2 | - | keeps back
        rules1 | rules0 | broadcast-inputs=incompatible | refused | expected 1
        rules0 | rules1 | - | keeps back
        async | async | - | keeps back
        async | - | - | keeps back
        - | async | - | keeps back
        async, a value | a value | a=as-is | keeps back
        async, a value | async, a value v2 reads1 back | a=migrate | back
        async, t event | async | t=incompatible | refused | never fire
        async, o split | async, o split v2 reads1 | o=migrate | keeps barrier
        unkeyed, a value | a value | keys=incompatible a=as-is | refused | is not keyed
        """

    /// All tables.
    static let all = [states, versions, names, timers, whole, ports]
}
