//! The native generator's numbers against the distributions that they are drawn from: statistics with fixed seeds, so that what
//! passes once passes always. What is expected is worked out here a second time, from the papers' formulas; and each check
//! is shown to reject the same numbers with a small error planted in them.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "counts of what is in memory")]
#![allow(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "all of them positive and small")]
#![allow(clippy::float_cmp, reason = "where equality is asked for, equal bits are promised")]

mod adapters;
mod ball;
mod continuous;
mod directions;
mod discrete;
mod draw;
mod dtypes;
mod elementwise;
mod fills;
mod independence;
mod isometry;
mod marginal;
mod orthogonal;
mod promises;
mod recurrent;
mod reference;
mod reservoir;
mod sample;
mod sparse;
mod state_space;
mod tables;
mod tails;
mod topologies;

#[test]
fn every_scheme_of_the_registry_is_tested() {
    let mut tested: Vec<&str> = elementwise::rows().into_iter().map(|(expression, _)| expression).collect();
    tested.extend([&orthogonal::EXPRESSIONS[..], &sparse::EXPRESSIONS[..]].concat());
    tested.extend(sparse::EXTRA_CASES.iter().chain(directions::EXPRESSIONS));
    tested.extend(isometry::ROWS.iter().chain(directions::SQUARE).map(|(expression, _, _)| expression));
    tested.extend([recurrent::EXPRESSIONS, state_space::EXPRESSIONS, tables::EXPRESSIONS].concat());
    tested.extend([continuous::EXPRESSIONS, discrete::EXPRESSIONS, &ball::EXPRESSIONS].concat());
    // A list has a unit test of its own.
    tested.extend([dtypes::NAN, "constant-list:1/0/0/0/1/0"]);
    tested.extend(fills::ROWS.iter().map(|&(expression, _, _)| expression));
    tested.extend(adapters::EXPRESSIONS.iter().map(|(expression, _)| *expression));
    tested.extend(reservoir::EXPRESSIONS.iter().map(|(expression, _)| *expression));
    for scheme in fanin::scheme::all() {
        let example = scheme.example.expression;
        assert!(tested.contains(&example), "no distribution test has the row `{example}` of {}", scheme.name);
    }
}
