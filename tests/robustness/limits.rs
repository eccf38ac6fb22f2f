//! Short recipes that ask for much: each is refused on one line, before it takes memory or time.

use crate::bad_recipes::{all_recipes_refused, all_refused, with};
use crate::common::{Ended, FANIN, Folder};

fn constants(lines: &[String]) -> String {
    with(&format!("[constants]\n{}", lines.join("\n")))
}

/// Constants `d0`, `d1`, ..., all of one expression.
fn repeated(first: &str, expression: &str, count: usize) -> String {
    let of = |number: usize| expression.replace("NUMBER", &number.to_string());
    let lines = (0..count).map(|number| format!("d{number} = \"{}\"", of(number)));
    constants(&[first.to_string()].into_iter().chain(lines).collect::<Vec<_>>())
}

#[test]
fn constants_are_limited_in_all() {
    let doubled = |join: &str| {
        let line = |number: usize| format!("a{} = \"{}\"", number + 1, join.replace('_', &format!("a{number}")));
        constants(&[vec!["a0 = [1, 1]".to_string()], (0..400).map(line).collect()].concat())
    };
    all_recipes_refused(vec![
        (repeated("a = \"range(60000)\"", "a", 400), &["[constants] `d", "16 MiB"]),
        (repeated("a = \"range(60000)\"", "a", 4000), &["[constants] `d", "16 MiB"]),
        (repeated("a = \"'x' * 60000\"", "a ~ a[0]", 4000), &["[constants] `d", "16 MiB"]),
        (
            repeated("a = \"'x' * 60000\"", "[a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a]", 1),
            &["`d0`", "bytes in all"],
        ),
        (doubled("_ + _"), &["65536 values"]),
        (doubled("[_, _]"), &["65536 values"]),
    ]);
}

#[test]
fn expressions_are_limited_in_all() {
    let lists = "a = \"range(60000)\"\nb = \"range(60000)\"";
    let loops =
        "[constants]\na = \"range(30000)\"\n[[blocks]]\nrepeat = { i = 1000000 }\nwhen = \"i in a and 29999 not in a\"";
    all_recipes_refused(vec![
        (repeated(lists, "a == b or NUMBER < 0", 4000), &["[constants] `d", "`a == b or", "too many steps in total"]),
        (repeated(lists, "[b, 70000 in a, NUMBER]|length", 4000), &["[constants] `d", "too many steps in total"]),
        (with(loops), &["`when`", "too many steps in total"]),
        (
            repeated(lists, &format!("[{}] == [{}]", ["a"; 900].join(","), ["b"; 900].join(",")), 1),
            &["`d0`", "too long"],
        ),
        (repeated(lists, &format!("[{}] ~ 1", ["a"; 900].join(",")), 1), &["`d0`", "too long"]),
        (repeated(lists, &format!("({})|length", ["a"; 1900].join("+")), 1), &["`d0`", "too long"]),
        // The name of the counter is no way around it.
        (repeated("", "__count()", 1), &["`d0`", "`__count`"]),
        (constants(&["__count = 1".into()]), &["`__count`", "name"]),
        // Lists that are made are no way around it either.
        (repeated("", "__made0", 1), &["`d0`", "`__made`"]),
        (repeated(lists, "[i + NUMBER for i in a]|length", 4000), &["[constants] `d", "too many steps in total"]),
        (repeated(lists, "[[i * j for j in b] for i in a]", 1), &["`d0`", "65536 values"]),
        (repeated("a = \"range(9)\"", "[range(60000) for i in a]", 1), &["`d0`", "65536 values"]),
        (repeated("", "1) + (2", 1), &["`d0`", "`1) + (2`"]),
        (repeated("", "1], [2", 1), &["`d0`", "`1], [2`"]),
    ]);
}

/// The engine would make the items of repeated lists without end, where it compares them, joins them to a text or asks for one.
#[test]
fn lists_are_not_repeated_in_expressions() {
    let large = "([[[1] * 1000] * 1000] * 1000)";
    let recipes = [
        format!("{large} == {large}"),
        format!("1 < 2 and {large} in [{large}]"),
        format!("{large} ~ ''"),
        format!("{large}|lower"),
        format!("'1' is startingwith {large}"),
        format!("2 * {large}[0] == 3"),
        "1000 * (1000 * [a])".into(),
        "2 * a|list".into(),
        "a * 2".into(),
        ["[1] * 60000"; 250].join(" + "),
    ];
    all_recipes_refused(
        recipes.map(|text| (repeated("a = [1, 2]", &text, 1), ["`d0`", "a list cannot be repeated"].as_slice())).into(),
    );
}

#[test]
fn rules_are_limited_in_all() {
    let rules = |count: usize, pattern: &dyn Fn(usize) -> String| {
        let lines: Vec<String> = (0..count).map(|number| format!("\"{}\" = \"ones\"", pattern(number))).collect();
        format!("[rules]\n{}\n[tensors]\nw = [2]", lines.join("\n"))
    };
    let nested = |depth: usize| format!("{}b{}", "{{a,".repeat(depth), "}}".repeat(depth));
    all_recipes_refused(vec![
        (rules(100_000, &|number| format!("a.{number}.*.b.weight")), &["r.toml:1", "`rules`", "100000", "4096"]),
        (rules(4000, &|number| format!("{number}{}", "?".repeat(1000))), &["[rules] `261??", "bytes"]),
        (rules(1, &|_| "?".repeat(5000)), &["r.toml:2", "[rules] `???", "5000 bytes"]),
        (rules(1, &|_| nested(17)), &["r.toml:2", "nested 17 deep"]),
        (rules(1, &|_| nested(250)), &["r.toml:2", "nested 250 deep"]),
        (rules(1, &|_| "{{".repeat(60_000)), &["r.toml:2", "60000 bytes"]),
        (rules(1, &|_| "{'{' * 60000}{'[' * 4000}".into()), &["r.toml:2", "bytes"]),
    ]);
}

#[test]
fn many_rules_serve_many_tensors() {
    let folder = Folder::new();
    let rules: Vec<String> =
        (0..200).map(|number| format!("\"b.*.{number}.weight\" = \"constant:{number}\"")).collect();
    let block = "[[blocks]]\nrepeat = { i = 200 }\ntensors = { \"b.{i % 7}.{i}.weight\" = [1] }";
    folder.write("r.toml", format!("[rules]\n{}\n\"*\" = \"zeros\"\n{block}", rules.join("\n")));
    let report: serde_json::Value = serde_json::from_slice(&folder.done("model r.toml --dry-run --json -q")).unwrap();
    for number in [0u16, 1, 99, 199] {
        assert_eq!(report["tensors"][usize::from(number)]["mean"].as_f64(), Some(f64::from(number)), "tensor {number}");
    }
}

#[test]
fn a_config_of_too_many_or_too_large_tensors_is_refused() {
    let gpt2 = |further: &str| format!(r#"{{"model_type":"gpt2","n_head":1,{further}}}"#).into_bytes();
    all_refused(&[
        ("config.json", gpt2(r#""n_layer":1000000000000"#), "", &["tensors or more", "2^20"]),
        ("config.json", gpt2(r#""n_layer":20000,"n_embd":5000000,"n_positions":2"#), "", &["2^62"]),
        ("config.json", gpt2(r#""n_layer":1,"n_embd":10000000000000"#), "", &["2^48"]),
    ]);
}

#[test]
fn names_of_labels_and_depths_of_overrides_are_limited() {
    let folder = Folder::new();
    folder.write("r.toml", "[constants]\nn = 2\n[tensors]\nw = [\"n\"]\n[rules]\n\"*\" = \"zeros\"\n");
    for (spec, setting, message) in [
        ("bert", "num_labels=1000000000000".to_string(), "`num_labels` is 1000000000000: at most 2^17 labels"),
        ("r.toml", format!("{}a=1", "a.".repeat(60_000)), "nested more than 32 deep"),
        ("llama", format!("rope_parameters.{}a=1", "a.".repeat(60_000)), "nested more than 32 deep"),
        ("llama", "num_hidden_layers=5000000".into(), "fanin: 80,000,000 tensors or more"),
        ("llama", "intermediate_size=9223372036854775807".into(), "fanin: llama:"),
        (
            "llava",
            "vision_config.model_type=llava".into(),
            "fanin: `vision_config.model_type`: `llava` is a component of itself",
        ),
    ] {
        let ended = Ended::of(folder.command(FANIN).args(["model", spec, "--dry-run", "--set", &setting]));
        assert!(ended.is_refusal() && ended.stderr.contains(message), "{}", ended.stderr);
        assert!(ended.stderr.len() < 300, "{}", ended.stderr);
    }
}

#[test]
fn components_of_components_are_limited() {
    let folder = Folder::new();
    for level in 0..7 {
        let parts: Vec<String> = (0..60).map(|number| format!("c{number} = \"./{}.toml\"\n", level + 1)).collect();
        folder.write(&format!("{level}.toml"), format!("[components]\n{}[tensors]\nw = [2]\n", parts.concat()));
    }
    folder.write("7.toml", "[tensors]\nw = [2]\n");
    let ended = Ended::of(folder.command(FANIN).args(["model", "0.toml", "-o", "out.npz"]));
    assert!(ended.is_refusal() && ended.stderr.contains("more than 64 components"), "{}", ended.stderr);
}

#[test]
fn patterns_of_copied_tensors_are_limited() {
    let folder = Folder::new();
    folder.done("init ones w=2 -q -o w.npz");
    let nested = |depth: usize| format!("{}b{}", "{a,".repeat(depth), "}".repeat(depth));
    for (pattern, message) in [
        (nested(17), "nested 17 deep"),
        (nested(250), "nested 250 deep"),
        ("{".repeat(60_000), "60000 bytes"),
        ("[".into(), "not a pattern"),
        ("{a".into(), "not a pattern"),
    ] {
        let ended = Ended::of(folder.fanin("model w.npz -q -o out.npz --keep").arg(&pattern));
        assert!(ended.is_refusal() && ended.stderr.contains(message), "{}", ended.stderr);
        assert!(ended.stderr.contains("--keep `") && ended.stderr.len() < 300, "{}", ended.stderr);
    }
    folder.done("model w.npz -q -o out.npz --keep {w,{x,y}}");
    let rules: Vec<String> = (0..5000).map(|number| format!("--keep a{number}")).collect();
    let ended = Ended::of(&mut folder.fanin(&format!("model w.npz -q -o further.npz {}", rules.join(" "))));
    assert!(ended.is_refusal() && ended.stderr.contains("more than 4096 patterns"), "{}", ended.stderr);
}
