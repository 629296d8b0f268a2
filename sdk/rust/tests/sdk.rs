//! The Rust SDK in the host in memory: bytes, errors, panics, resumption, state of all kinds,
//! migrations.

use apus::testing::{Harness, Options, TestRecord};
use apus::{
    raw, Broadcast, Codec, Config, Context, Declare, Decoder, Domain, Error, FiredTimer, Level,
    List, Map, Metric, Operator, OperatorList, Output, Raw, Record, Redistribution, Result, Timer,
    Value,
};

// --- Bytes: the same list is in the tests of the C++ and the Swift SDK -------------------------

apus::codec! {
    #[derive(Clone, Debug, PartialEq)]
    struct Nested {
        number: i64,
        small: Option<u8>,
        text: String,
    }
}

fn hex<T: Codec>(value: &T) -> String {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    bytes.iter().map(|byte| format!("{:02x}", byte)).collect()
}

fn again<T: Codec>(value: &T) -> T {
    let mut bytes = Vec::new();
    value.encode(&mut bytes);
    let mut from = Decoder::new(&bytes);
    let value = T::decode(&mut from).expect("it was just encoded");
    assert!(from.rest().is_empty());
    value
}

#[test]
fn bytes_are_those_of_the_other_sdks() {
    assert_eq!(hex(&-1i64), "7fffffffffffffff");
    assert_eq!(hex(&5i8), "85");
    assert_eq!(hex(&258u16), "0102");
    assert_eq!(hex(&1.5f64), "bff8000000000000");
    assert_eq!(hex(&-1.5f64), "4007ffffffffffff");
    assert_eq!(hex(&0f32), "80000000");
    assert_eq!(hex(&true), "01");
    assert_eq!(hex(&"a\0b".to_string()), "6100ff620000");
    assert_eq!(hex(&Some(7u8)), "0107");
    assert_eq!(hex(&None::<u8>), "0000");
    assert_eq!(hex(&None::<String>), "00");
    assert_eq!(hex(&(1u8, "x".to_string())), "01780000");
    assert_eq!(hex(&("z".to_string(), Some(3i32))), "7a00000180000003");
    let nested = Nested { number: 2, small: Some(3), text: "z".into() };
    assert_eq!(hex(&nested), "800000000000000201037a0000");
    assert_eq!((Nested::FIXED, <(bool, f64)>::FIXED), (None, Some(9)));
    assert_eq!(again(&nested), nested);
    assert_eq!(again(&vec![0u8, 255, 0]), [0, 255, 0]);
    assert_eq!(again(&Raw(vec![0, 0, 1])), Raw(vec![0, 0, 1]));
    assert_eq!((again(&i32::MIN), again(&f64::NEG_INFINITY)), (i32::MIN, f64::NEG_INFINITY));
    assert!(bool::decode(&mut Decoder::new(&[2])).is_err());
    assert!(bool::decode(&mut Decoder::new(&[])).is_err());
    assert!(String::decode(&mut Decoder::new(&[97, 0, 1])).is_err());
    assert!(String::decode(&mut Decoder::new(&[200, 0, 0])).is_err());
}

/// SplitMix64: the crate has no dependencies, and neither have its tests.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// From the time, and printed: a test that fails says with what.
    fn seeded() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let seed = now.map_or(1, |time| time.as_nanos() as u64);
        println!("seed {}", seed);
        Random(seed)
    }
}

#[test]
fn bytes_sort_as_values_do() {
    let mut random = Random::seeded();
    for _ in 0..1000 {
        let (a, b) = (random.next() as i64, random.next() as i64);
        assert_eq!(a < b, hex(&a) < hex(&b), "{} {}", a, b);
        let (x, y) = (a as f64 / 3.0, b as f64 / 3.0);
        assert_eq!(x < y, hex(&x) < hex(&y), "{} {}", x, y);
        let mut word = || (0..random.below(5)).map(|_| random.below(3) as u8).collect::<Vec<u8>>();
        let (s, t) = (word(), word());
        assert_eq!(s < t, hex(&s) < hex(&t), "{:?} {:?}", s, t);
    }
}

// --- The configuration -------------------------------------------------------------------------

#[test]
fn configurations_are_read_strictly() {
    let json = r#" {"a": 1, "b" : "x\n\u00e9\ud83d\ude00", "c":true, "d":[1,{"e":2}],"f":-2.5e3} "#;
    let config = Config::parse(json).expect("it is JSON");
    assert_eq!((config.integer("a"), config.boolean("c")), (Ok(1), Ok(true)));
    assert_eq!((config.number("f"), config.text("b")), (Ok(-2500.0), Ok("x\né😀".into())));
    assert_eq!((config.raw("d"), config.has("e")), (Some(r#"[1,{"e":2}]"#), false));
    let reason = |error: Option<Error>| error.expect("it is refused").reason().to_string();
    assert_eq!(reason(config.integer("z").err()), "no 'z'; expected a whole number");
    assert_eq!(
        reason(config.integer_in("a", 2..=9).err()),
        "'a' is 1; expected a whole number from 2 to 9"
    );
    assert_eq!(
        reason(config.allow_only(&["a", "b", "c", "d"]).err()),
        "unknown key 'f'; expected 'a' 'b' 'c' 'd'"
    );
    for bad in ["[]", "{", r#"{"a":1,}"#, r#"{"a":1,"a":2}"#, r#"{"a" 1}"#, "{} x"] {
        assert!(reason(Config::parse(bad).err()).contains("expected an object"), "{}", bad);
    }
}

// --- An operator that does what its records say ------------------------------------------------

struct Script {
    count: Value<i64>,
    map: Map<(u32, String), String>,
    rules: Broadcast<String, i64>,
    seen: OperatorList<String>,
    reminder: Timer,
    clock: Timer,
    side: Output,
    words: Metric,
}

impl Operator for Script {
    const ID: &'static str = "script";
    const SUMMARY: &'static str = "does what its records say";
    const KEYED: bool = true;
    const ACCEPTS_RECORDS_WITHOUT_KEY: bool = true;
    const BROADCAST_INPUT_COUNT: u32 = 1;

    fn new(declare: &mut Declare) -> Self {
        Script {
            count: declare.value("count"),
            map: declare.map("map"),
            rules: declare.broadcast("rules"),
            seen: declare.operator_list("seen", Redistribution::Split),
            reminder: declare.timer("reminder"),
            clock: declare.timer_in(Domain::ProcessingTime, "clock"),
            side: declare.output("side", "a side output"),
            words: declare.metric("words", "words seen"),
        }
    }

    fn open(&mut self, context: &mut Context<'_>) -> Result {
        let text = format!("open {}", self.seen.len(context)?);
        context.log(Level::Info, &text);
        Ok(())
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        for word in std::str::from_utf8(record.value())?.split(' ') {
            context.count(self.words, 1);
            self.act(word, &record, context)?;
        }
        Ok(())
    }

    fn process_broadcast(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        self.rules.set(context, &"limit".into(), &(record.value().len() as i64))
    }

    fn on_timer(&mut self, timer: FiredTimer<'_>, context: &mut Context<'_>) -> Result {
        let name = if timer.is(self.clock) { "clock" } else { "reminder" };
        let payload = String::from_utf8_lossy(timer.payload());
        context.emit(format!("{} {} {}", name, timer.id(), payload))
    }

    fn on_watermark(&mut self, time: i64, context: &mut Context<'_>) -> Result {
        if time < 5 {
            context.emit(format!("watermark {}", time))?;
        }
        Ok(())
    }
}

impl Script {
    fn act(&self, word: &str, record: &Record<'_>, context: &mut Context<'_>) -> Result {
        match word {
            "bad" => Err(Error::bad_record("it is bad")),
            "fatal" => Err(Error::fatal("it is broken")),
            "io" => Err(std::io::Error::new(std::io::ErrorKind::Other, "no disk").into()),
            "panic" => panic!("it is {}", "odd"),
            "forward" => context.forward(),
            "keyed" => context.emit_with_key(self.side, "a key of its own, long", word, 7),
            "count" => {
                let sum = self.count.modify(context, |count| {
                    *count += 1;
                    Ok(*count)
                })?;
                context.emit(sum.to_string())
            }
            "rule" => {
                let limit = self.rules.get(context, &"limit".into())?;
                context.emit(limit.unwrap_or(-1).to_string())
            }
            "put" => self.rules.set(context, &"limit".into(), &1),
            "remember" => {
                let key = String::from_utf8_lossy(record.key().unwrap_or(b"")).into_owned();
                self.seen.append(context, &key)
            }
            "timer" => context.set_with(self.reminder, 3, 50, "payload"),
            "cancel" => {
                let was_set = context.cancel(self.reminder, 3)?;
                context.emit(if was_set { "cancelled" } else { "none" })
            }
            "clock" => context.set(self.clock, context.now() + 10),
            "fill" => self.fill(context),
            _ if word.starts_with('s') => context.emit_to(self.side, word),
            _ => context.emit(word),
        }
    }

    fn fill(&self, context: &mut Context<'_>) -> Result {
        for i in 0..100u32 {
            self.map.set(context, &(i % 10, i.to_string()), &"v".into())?;
        }
        let (mut found, mut ranged, mut first) = (String::new(), 0, 0);
        self.map.for_each_with(context, &7u32, |key, _| {
            found += &format!("{} ", key.1);
            Ok(true)
        })?;
        let range = (3, String::new())..(5, String::new());
        self.map.for_each_in(context, range, |_, _| {
            ranged += 1;
            Ok(true)
        })?;
        self.map.for_each(context, |_, _| {
            first += 1;
            Ok(first < 3)
        })?;
        let len = self.map.len(context)?;
        context.emit(format!("{}{} {} {}", found, ranged, first, len))?;
        self.map.clear(context)
    }
}

fn timeless(key: Option<&str>, value: &str) -> TestRecord {
    TestRecord { key: key.map(Into::into), value: value.into(), time: Some(6) }
}

#[test]
fn an_operator_can_do_all_there_is() {
    let mut host = Harness::<Script>::new("{}");
    host.feed("ann", "x side keyed forward", 5);
    host.feed_record(&timeless(None, "forward"));
    assert_eq!(host.values("main"), ["x", "x side keyed forward", "forward"]);
    assert_eq!(host.records("main")[2], timeless(None, "forward"));
    assert_eq!(host.records("side")[1], TestRecord::new("a key of its own, long", "keyed", 7));
    assert_eq!(host.metric("words"), 5);
    host.forget();
    host.feed("ann", "x y bad", 1); // what it emitted is taken back
    assert_eq!((host.values("main").len(), host.rejected()), (0, vec!["it is bad".into()]));
    host.feed("ann", "count count", 1);
    host.feed("ann", "fill", 1);
    assert_eq!(host.values("main"), ["1", "2", "17 27 37 47 57 67 7 77 87 97 20 3 100"]);
    host.forget();
    host.feed("ann", "rule", 1);
    host.broadcast("12345");
    host.feed("bob", "rule remember", 1);
    assert_eq!(host.values("main"), ["-1", "5"]);
    assert_eq!(host.broadcast_map::<String, i64>("rules"), [("limit".to_string(), 5)]);
    host.forget();
    host.restart();
    assert_eq!(host.items::<String>("seen"), ["bob"]);
    assert_eq!(host.log(), ["open 1"]);
    host.feed("ann", "timer clock", 1);
    host.feed("bob", "timer cancel cancel", 1);
    host.watermark(3);
    host.watermark(60);
    host.clock(10);
    assert_eq!(
        host.values("main"),
        ["cancelled", "none", "watermark 3", "reminder 3 payload", "clock 0 "]
    );
}

#[test]
fn errors_and_panics_end_the_job_with_their_text() {
    let failure = |word: &str, key: Option<&str>| {
        let result = std::panic::catch_unwind(|| {
            Harness::<Script>::new("{}").feed_record(&timeless(key, word));
        });
        let panic = result.expect_err("the harness panics");
        panic.downcast_ref::<String>().expect("with a text").clone()
    };
    assert_eq!(failure("fatal", Some("ann")), "it is broken (code -2)");
    assert_eq!(failure("io", Some("ann")), "no disk (code -2)");
    assert_eq!(failure("panic", Some("ann")), "panic: it is odd (code -2)");
    assert_eq!(
        failure("put", Some("ann")),
        "broadcast state 'rules': it can be changed in process_broadcast alone (code -2)"
    );
    assert_eq!(
        failure("count", None),
        "state 'count': there is no key here, or this was not declared by the operator (code -2)"
    );
}

/// Whatever room there is, what comes out is the same.
#[test]
fn narrow_outputs_do_not_show() {
    let vocabulary =
        ["a", "side", "forward", "keyed", "count", "a-long-word-of-24-bytes", "bad", "x"];
    let mut random = Random::seeded();
    for _ in 0..300 {
        let mut records = Vec::new();
        for _ in 0..=random.below(20) {
            let key = (random.below(4) > 0).then(|| format!("key {}", random.below(3)));
            let words: Vec<&str> = (0..=random.below(6))
                .map(|_| vocabulary[random.below(8) as usize])
                .filter(|word| key.is_some() || *word != "count")
                .collect();
            records.push(timeless(key.as_deref(), &words.join(" ")));
        }
        let options = Options {
            records_per_segment: 1 + random.below(5) as u32,
            segments_per_call: random.below(4) as u32,
            batch_records: random.below(4) as u32,
            keeps_stopping: random.below(2) as u32,
            ..Options::default()
        };
        let mut roomy = Harness::<Script>::new("{}");
        let mut narrow = Harness::<Script>::with("{}", options);
        roomy.feed_all(&records, 0);
        narrow.feed_all(&records, 0);
        assert_eq!(roomy.records("main"), narrow.records("main"));
        assert_eq!(roomy.records("side"), narrow.records("side"));
        assert_eq!(roomy.rejected(), narrow.rejected());
        assert_eq!(roomy.metric("words"), narrow.metric("words"));
    }
}

// --- Migrations --------------------------------------------------------------------------------

apus::codec! {
    #[derive(Default)]
    struct Visit1 { count: i64 }
}

apus::codec! {
    #[derive(Default)]
    struct Visit2 { count: i64, note: String }
    version 2, from Visit1: |old| Visit2 { count: old.count, note: "migrated".into() };
}

apus::codec! {
    #[derive(Debug, Default, PartialEq)]
    struct Visit3 { note: String, count: i32 }
    version 3, from Visit2: |old| Visit3 { note: old.note + "!", count: old.count as i32 };
}

struct Old {
    visits: Value<Visit1>,
    history: List<Visit1>,
}

impl Operator for Old {
    const ID: &'static str = "visits";
    const SUMMARY: &'static str = "counts";
    const KEYED: bool = true;

    fn new(declare: &mut Declare) -> Self {
        Old { visits: declare.value("count"), history: declare.list("history") }
    }

    fn process(&mut self, _: Record<'_>, context: &mut Context<'_>) -> Result {
        let count = self.visits.modify(context, |visit| {
            visit.count += 1;
            Ok(visit.count)
        })?;
        self.history.append(context, &Visit1 { count })
    }
}

struct New {
    visits: Value<Visit3>,
}

impl Operator for New {
    const ID: &'static str = "visits";
    const SUMMARY: &'static str = "counts";
    const KEYED: bool = true;

    fn new(declare: &mut Declare) -> Self {
        let new = New { visits: declare.value("visits") };
        let _: List<Visit3> = declare.list("history");
        declare.renamed("visits", "count");
        declare.describe("visits", "what was seen");
        new
    }

    fn process(&mut self, _: Record<'_>, context: &mut Context<'_>) -> Result {
        self.visits.modify(context, |visit| {
            visit.count += 10;
            Ok(())
        })
    }
}

#[test]
fn values_are_migrated_through_all_versions_in_between() {
    let mut host = Harness::<Old>::new("{}");
    host.feed("ann", "", 1);
    host.feed("ann", "", 1);
    host.feed("bob", "", 1);
    let mut host = host.upgrade::<New>();
    host.feed("bob", "", 1);
    assert_eq!(host.value("visits", "ann"), Some(Visit3 { note: "migrated!".into(), count: 2 }));
    assert_eq!(host.value("visits", "bob"), Some(Visit3 { note: "migrated!".into(), count: 11 }));
    let counts: Vec<i32> =
        host.list::<Visit3>("history", "ann").iter().map(|visit| visit.count).collect();
    assert_eq!(counts, [1, 2]);
}

#[test]
#[should_panic(expected = "has version 3, which version 1 cannot read")]
fn what_is_too_old_is_refused_with_both_versions() {
    let mut host = Harness::<Old>::new("{}");
    host.feed("ann", "", 1);
    host.upgrade::<New>().upgrade::<Old>();
}

// --- The way back ------------------------------------------------------------------------------

apus::codec! {
    #[derive(Debug, Default, PartialEq)]
    struct Wide2 { count: i64, note: String }
    version 2, from Visit1: |old| Wide2 { count: old.count, note: String::new() },
        back: |now| Ok(Visit1 { count: now.count });
}

apus::codec! {
    #[derive(Debug, Default, PartialEq)]
    struct Wide3 { note: String, count: u64 }
    version 3, from Wide2: |old| Wide3 { note: old.note, count: old.count as u64 },
        back: |now| match now.count {
            0..=1000 => Ok(Wide2 { count: now.count as i64, note: now.note.clone() }),
            many => Err(apus::Error::fatal(format!("a count of {many} has no version 2"))),
        };
}

// Goes back to Visit2, which goes nowhere.
apus::codec! {
    #[derive(Debug, Default, PartialEq)]
    struct Gap3 { count: i64 }
    version 3, from Visit2: |old| Gap3 { count: old.count },
        back: |now| Ok(Visit2 { count: now.count, note: String::new() });
}

trait Count: apus::Codec + Default {
    fn add(&mut self, by: i64);
}

macro_rules! counts {
    ($($type:ident: $number:ty),*) => {$(
        impl Count for $type {
            fn add(&mut self, by: i64) {
                self.count += by as $number;
            }
        }
    )*};
}

counts! { Visit1: i64, Wide2: i64, Wide3: u64, Gap3: i64 }

struct Counts<T: Count> {
    count: Value<T>,
    history: List<T>,
}

impl<T: Count + 'static> Operator for Counts<T> {
    const ID: &'static str = "counts";
    const SUMMARY: &'static str = "counts";
    const KEYED: bool = true;

    fn new(declare: &mut Declare) -> Self {
        Counts { count: declare.value("count"), history: declare.list("history") }
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        let by = std::str::from_utf8(record.value()).unwrap().parse().unwrap();
        self.count.modify(context, |count| {
            count.add(by);
            Ok(())
        })?;
        let mut item = T::default();
        item.add(by);
        self.history.append(context, &item)
    }
}

#[test]
fn values_go_back_through_all_versions_in_between_and_forward_again() {
    let mut old = Harness::<Counts<Visit1>>::new("{}");
    old.feed("ann", "2", 1);
    for _ in 0..3 {
        let mut new = old.upgrade::<Counts<Wide3>>();
        new.feed("ann", "1", 1);
        old = new.upgrade::<Counts<Visit1>>();
    }
    assert_eq!(old.value::<Visit1>("count", "ann").map(|visit| visit.count), Some(5));
    let history: Vec<i64> =
        old.list::<Visit1>("history", "ann").iter().map(|visit| visit.count).collect();
    assert_eq!(history, [2, 1, 1, 1]);
    let new = old.upgrade::<Counts<Wide2>>();
    assert_eq!(new.value("count", "ann"), Some(Wide2 { count: 5, note: String::new() }));
}

#[test]
#[should_panic(expected = "of version 3: a count of 1001 has no version 2")]
fn what_the_older_version_cannot_say_is_refused_with_the_reason() {
    let mut host = Harness::<Counts<Wide3>>::new("{}");
    host.feed("ann", "1001", 1);
    host.upgrade::<Counts<Visit1>>();
}

#[test]
#[should_panic(expected = "has version 3, which version 1 cannot read")]
fn without_a_way_back_in_each_type_of_the_chain_there_is_none() {
    let mut host = Harness::<Counts<Gap3>>::new("{}");
    host.feed("ann", "1", 1);
    host.upgrade::<Counts<Visit1>>();
}

struct Keyless;

impl Operator for Keyless {
    const ID: &'static str = "keyless";
    const SUMMARY: &'static str = "has state and no keys";

    fn new(declare: &mut Declare) -> Self {
        declare.counter("sum");
        Keyless
    }

    fn process(&mut self, _: Record<'_>, _: &mut Context<'_>) -> Result {
        Ok(())
    }
}

#[test]
fn state_without_keys_is_refused() {
    let failure = Harness::<Keyless>::try_new("{}", Options::default()).err().expect("a failure");
    assert_eq!(failure.code, raw::APUS_CONFIG);
    assert_eq!(
        failure.message,
        "operator 'keyless' declares state or timers, so its KEYED must be true"
    );
}
