//! The operators in a host in memory, with a clock of our own.

use apus::testing::{Harness, Options, TestRecord};
use apus::{raw, SECOND};

use crate::sessions::Span;
use crate::{Dedup, Filter, Sessions};

fn hosts() -> [Options; 2] {
    [Options::default(), Options::narrow()]
}

#[test]
fn filter_passes_on_what_is_large_enough() {
    for options in hosts() {
        let mut host = Harness::<Filter>::with(r#"{"minimum":10,"column":1}"#, options);
        let lines = ["a,10", "b,9", "c", "d,1x", "e,-11", "a longer line than 12,999"];
        for (time, line) in lines.iter().enumerate() {
            let (value, time) = (line.as_bytes().to_vec(), Some(time as i64));
            host.feed_record(&TestRecord { key: None, value, time });
        }
        assert_eq!(host.values("main"), ["a,10", "a longer line than 12,999"]);
        assert_eq!(host.records("main")[1].time, Some(5));
        assert_eq!(host.rejected(), ["column 1 is missing", "column 1 is not a whole number"]);
        assert_eq!((host.metric("kept"), host.metric("dropped")), (2, 2));
    }
}

#[test]
fn filter_refuses_a_configuration_with_what_it_expected() {
    let bad = [
        "{}", r#"{"column":1}"#, r#"{"column":1,"minimum":2,"x":3}"#, "[1]", "null",
        r#"{"column":1,"column":1}"#, r#"{"column":-1,"minimum":2}"#,
        r#"{"column":1,"minimum":"2"}"#,
    ];
    for config in bad {
        let failure = match Harness::<Filter>::try_new(config, Options::default()) {
            Ok(_) => panic!("{} was accepted", config),
            Err(failure) => failure,
        };
        assert_eq!(failure.code, raw::APUS_CONFIG);
        assert!(failure.message.contains("expected"), "{}", failure.message);
    }
}

#[test]
fn sessions_end_when_a_key_is_silent() {
    for options in hosts() {
        let mut host = Harness::<Sessions>::with(r#"{"gap-seconds":30}"#, options);
        host.feed("ann", "x,1", 100 * SECOND);
        host.feed("ann", "x,2", 130 * SECOND); // exactly the gap: the same session
        host.feed("a key of more than 12 bytes", "x,7", 131 * SECOND);
        host.feed("ann", "x,3", 125 * SECOND); // out of order
        assert_eq!(host.list::<Vec<u8>>("items", "ann"), [b"1", b"2", b"3"]);
        assert_eq!(host.timer_count("silent"), 2);
        assert_eq!(host.next_timer("silent"), Some(160 * SECOND));
        host.watermark(159 * SECOND);
        assert!(host.values("sessions").is_empty());
        host.watermark(160 * SECOND); // the timer of ann
        assert_eq!(host.values("sessions"), ["ann,1,100000000,130000000,1+2+3"]);
        let expected = TestRecord::new("ann", "ann,1,100000000,130000000,1+2+3", 130 * SECOND);
        assert_eq!(host.records("sessions"), [expected]);
        host.feed("ann", "x,4", 99 * SECOND); // later than the gap
        assert_eq!((host.values("late"), host.metric("late")), (vec!["x,4".into()], 1));
        host.feed("ann", "x,5", 200 * SECOND);
        host.feed("ann", "x,6", 231 * SECOND); // ends the session before the timer does
        let span = Span { first: 231 * SECOND, last: 231 * SECOND };
        assert_eq!(host.value("span", "ann"), Some(span));
        assert_eq!(host.sum("number", "ann"), 2);
        host.restart();
        host.forget();
        host.end();
        assert_eq!(
            host.values("sessions"),
            [
                "a key of more than 12 bytes,1,131000000,131000000,7",
                "ann,3,231000000,231000000,6",
            ]
        );
        assert_eq!((host.key_count("span"), host.key_count("newest")), (0, 2));
        let timeless = TestRecord { time: None, ..TestRecord::new("ann", "x,8", 0) };
        host.feed_record(&timeless);
        assert_eq!(host.rejected(), ["the record has no time of 1970 to 9999"]);
    }
}

#[test]
fn dedup_forgets_ids_after_a_while() {
    for options in hosts() {
        let mut host = Harness::<Dedup>::with(r#"{"column":1,"ttl-seconds":60}"#, options);
        host.feed("ann", "x,one,1", 100 * SECOND);
        host.feed("ann", "x,one,2", 159 * SECOND);
        host.feed("bob", "x,one,3", 110 * SECOND);
        host.feed("ann", "x,two,4", 120 * SECOND);
        host.feed("ann", "x,one,5", 160 * SECOND); // expired before the timer says so
        host.feed("ann", "x,,6", 1);
        assert_eq!(host.values("main"), ["x,one,1", "x,one,3", "x,two,4", "x,one,5"]);
        assert_eq!(host.values("duplicates"), ["x,one,2"]);
        assert_eq!(host.metric("duplicates"), 1);
        assert_eq!(host.rejected(), ["the record has no id"]);
        host.watermark(180 * SECOND); // the first timer of `one` leaves what was renewed alone
        assert_eq!(host.map::<Vec<u8>, i64>("seen", "ann"), [(b"one".to_vec(), 160 * SECOND)]);
        host.watermark(220 * SECOND);
        assert_eq!((host.key_count("seen"), host.timer_count("expired")), (0, 0));
    }
}
