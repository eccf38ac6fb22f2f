//! The native generator's numbers against the laws that they are drawn from: statistics with fixed seeds, so that what
//! passes once passes always. What is expected is worked out here a second time, from the papers' formulas; and each check
//! is shown to reject the same numbers with a small error planted in them.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of what is in memory")]
#![allow(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "all of them positive and small")]
#![allow(clippy::float_cmp, reason = "where equality is asked for, equal bits are promised")]

mod adapters;
mod draw;
mod dtypes;
mod elementwise;
mod independence;
mod orthogonal;
mod promises;
mod reference;
mod reservoir;
mod sample;
mod sparse;
mod tails;

#[test]
fn every_scheme_of_the_registry_is_tested() {
    let mut tested: Vec<&str> = elementwise::rows().into_iter().map(|(expression, _)| expression).collect();
    tested.extend([&orthogonal::EXPRESSIONS[..], &sparse::EXPRESSIONS[..]].concat());
    tested.extend(adapters::EXPRESSIONS.iter().map(|(expression, _)| *expression));
    tested.extend(reservoir::EXPRESSIONS.iter().map(|(expression, _)| *expression));
    for scheme in fanin::scheme::all() {
        let example = scheme.example.expression;
        assert!(tested.contains(&example), "no law test has the row `{example}` of {}", scheme.name);
    }
}
