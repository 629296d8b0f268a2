//! Tells what a key did until it was silent for a while.
//!
//! A session ends when the key's next record is later than the gap, or when event time says that no
//! such record can come any more, whichever is noticed first: both write the same line.

use apus::{
    Config, Context, Counter, Declare, FiredTimer, List, Metric, Operator, Output, Record, Result,
    Timer, Value, SECOND,
};

use crate::fields::last_field;
use crate::time_of;

apus::codec! {
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Span {
        pub first: i64,
        pub last: i64,
    }
}

pub struct Sessions {
    span: Value<Span>,
    newest: Value<i64>,
    number: Counter,
    items: List<Vec<u8>>,
    silent: Timer,
    late: Output,
    late_count: Metric,
    gap: i64,
}

impl Operator for Sessions {
    const ID: &'static str = "sessions";
    const SUMMARY: &'static str = "what a key did until it was silent for a while";
    const KEYED: bool = true;
    const MAIN_OUTPUT: &'static str = "sessions";

    fn new(declare: &mut Declare) -> Self {
        Sessions {
            span: declare.value("span"),
            newest: declare.value("newest"),
            number: declare.counter("number"),
            items: declare.list("items"),
            silent: declare.timer("silent"),
            late: declare.output("late", "lines that came after their session"),
            late_count: declare.metric("late", "late lines"),
            gap: 0,
        }
    }

    fn configure(&mut self, config: &Config) -> Result {
        config.allow_only(&["gap-seconds"])?;
        self.gap = config.integer_in("gap-seconds", 1..=86_400)? * SECOND;
        Ok(())
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        let time = time_of(&record)?;
        let latest = self.newest.get(context)?.unwrap_or(time);
        if time < latest - self.gap {
            context.count(self.late_count, 1);
            return context.forward_to(self.late);
        }
        let mut open = self.span.get(context)?;
        if let Some(span) = open.filter(|span| time > span.last + self.gap) {
            self.end_session(record.key().unwrap_or(b""), span, context)?;
            open = None;
        }
        let mut now = open.unwrap_or(Span { first: time, last: time });
        now = Span { first: now.first.min(time), last: now.last.max(time) };
        self.items.append(context, &last_field(record.value()).to_vec())?;
        self.span.set(context, &now)?;
        self.newest.set(context, &latest.max(time))?;
        context.set(self.silent, now.last + self.gap)
    }

    fn on_timer(&mut self, timer: FiredTimer<'_>, context: &mut Context<'_>) -> Result {
        match self.span.get(context)? {
            Some(span) => self.end_session(timer.key(), span, context),
            None => Ok(()),
        }
    }
}

impl Sessions {
    fn end_session(&self, key: &[u8], span: Span, context: &mut Context<'_>) -> Result {
        let number = self.number.add(context, 1)?;
        let mut line = key.to_vec();
        line.extend_from_slice(format!(",{},{},{},", number, span.first, span.last).as_bytes());
        line.extend_from_slice(&self.items.all(context)?.join(&b'+'));
        context.emit_with_key(Output::MAIN, key, line, span.last)?;
        self.span.clear(context)?;
        self.items.clear(context)
    }
}
