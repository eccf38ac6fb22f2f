//! Bad recipes are refused on one line that names file, line and key.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::common::{Ended, FANIN, Folder, TIME, peak_memory, skipped};

/// The most memory that a refusal may take.
const MOST_MEMORY: u64 = 160 << 20;

/// The longest time; much more than it takes, since tests share their machine.
const LONGEST: Duration = Duration::from_secs(10);

/// A recipe that is good up to what stands in a case.
pub(crate) fn with(text: &str) -> String {
    format!("[rules]\n\"*\" = \"ones\"\n[tensors]\nw = [2]\n{text}\n")
}

/// Refuses each: the name of the file, its content, further arguments, and words that the refusal must hold.
#[track_caller]
pub(crate) fn all_refused(cases: &[(&str, Vec<u8>, &str, &[&str])]) {
    let measured = Path::new(TIME).exists();
    if !measured {
        skipped("the memory of refusals: no GNU time");
    }
    let mut faults = Vec::new();
    for (number, (file, content, arguments, words)) in cases.iter().enumerate() {
        let (folder, scratch) = (Folder::new(), Folder::new());
        folder.write(file, content);
        let memory = scratch.join("memory");
        let mut command = folder.command(if measured { TIME } else { FANIN });
        if measured {
            command.args(["-q", "-f", "%M", "-o"]).arg(&memory).arg(FANIN);
        }
        let started = Instant::now();
        let ended = Ended::of(command.args(["model", file, "-o", "out.npz"]).args(arguments.split_whitespace()));
        let missing: Vec<_> = words.iter().filter(|word| !ended.stderr.contains(**word)).collect();
        if !ended.is_refusal() || !ended.stdout.is_empty() {
            faults.push(format!("{number}: status {}, {:?}", ended.status, ended.stderr));
        } else if !missing.is_empty() {
            faults.push(format!("{number}: no {missing:?} in {:?}", ended.stderr));
        } else if folder.names() != [*file] {
            faults.push(format!("{number}: it left {:?}", folder.names()));
        } else if started.elapsed() > LONGEST {
            faults.push(format!("{number}: it took {:?}", started.elapsed()));
        } else if measured && peak_memory(&memory) > MOST_MEMORY {
            faults.push(format!("{number}: it took {} bytes of memory", peak_memory(&memory)));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// Refuses each text, with words that the refusal must hold.
#[track_caller]
pub(crate) fn all_recipes_refused(cases: Vec<(String, &[&str])>) {
    let cases: Vec<_> = cases.into_iter().map(|(text, words)| ("r.toml", text.into_bytes(), "", words)).collect();
    all_refused(&cases);
}

#[test]
fn bad_keys_and_expressions_are_refused_by_file_line_and_key() {
    let deep = format!("w = {}1{}", "[".repeat(70), "]".repeat(70));
    let cases: Vec<(String, &[&str])> = vec![
        // Text that is no recipe.
        ("w = ".into(), &["r.toml:1", "not TOML"]),
        ("[tensors]\nw = [2]\nw = [3]".into(), &["r.toml:3", "duplicate key"]),
        ("[tensors]\n[tensors]".into(), &["r.toml:2"]),
        ("[tensors\nw = [2]".into(), &["r.toml:1"]),
        (String::new(), &["r.toml", "it is empty"]),
        (deep, &["r.toml:1"]),
        ("[tensors]".into(), &["r.toml", "no tensors"]),
        ("[constants]\na = 1979-05-27".into(), &["r.toml:2", "date"]),
        ("[constants]\na = inf".into(), &["r.toml:2", "`inf`", "finite"]),
        ("[constants]\na = 99999999999999999999".into(), &["r.toml:2", "64 bits"]),
        // Keys and types.
        ("[tensor]\nw = [2]".into(), &["r.toml:1", "`tensor`", "did you mean `tensors`?"]),
        ("[family]\nmodel_type = \"gpt2\"".into(), &["r.toml:1", "`family`", "unknown key"]),
        ("tensors = 3".into(), &["r.toml:1", "`tensors`", "a table"]),
        ("rules = 3".into(), &["r.toml:1", "`rules`", "a table"]),
        ("blocks = 3".into(), &["r.toml:1", "`blocks`", "a list of tables"]),
        ("constants = 3".into(), &["r.toml:1", "`constants`", "a table"]),
        ("require = 3".into(), &["r.toml:1", "`require`", "a table"]),
        (with("x = true"), &["r.toml:5", "[tensors] `x`", "a truth value"]),
        (with("x = { shap = [2] }"), &["r.toml:5", "`shap`", "did you mean `shape`?"]),
        (with("x = {}"), &["r.toml:5", "`x`", "`shape`, `tied` or `layer` is missing"]),
        (with("x = { shape = [2], tied = \"w\" }"), &["r.toml:5", "mutually exclusive"]),
        (with("x = { tied = \"w\", dtype = \"f16\" }"), &["r.toml:5", "`dtype`", "tied"]),
        (with("x = { shape = [2], fan_in = 0 }"), &["r.toml:5", "`fan_in`", "from 1"]),
        (with("x = { shape = [2], dtype = \"f33\" }"), &["r.toml:5", "`dtype`", "`f33`", "f32"]),
        (with("x = { shape = [2], layout = \"tensorflow9\" }"), &["r.toml:5", "`layout`", "`tensorflow9`"]),
        (with("x = { shape = [2], scheme = \"onse\" }"), &["r.toml:5", "`onse`", "did you mean"]),
        (with("x = { shape = [2], when = 3 }"), &["r.toml:5", "`when`", "expression"]),
        (with("x = { shape = [2], when = \"1 + 1\" }"), &["r.toml:5", "`1 + 1`", "true or false"]),
        ("dtype = \"f33\"".into(), &["r.toml:1", "`dtype`", "`f33`"]),
        ("layout = \"qq\"".into(), &["r.toml:1", "`layout`", "`qq`"]),
        ("layout = 3".into(), &["r.toml:1", "`layout`", "text"]),
        ("seed = 1.5".into(), &["r.toml:1", "`seed`", "0 to 2^64-1"]),
        ("seed = -1".into(), &["r.toml:1", "`seed`"]),
        ("seed = true".into(), &["r.toml:1", "`seed`"]),
        // Constants and expressions.
        ("[constants]\na = \"b\"\nb = \"a\"".into(), &["r.toml:2", "cycle", "`a` -> `b` -> `a`"]),
        ("[constants]\na = \"a + 1\"".into(), &["r.toml:2", "`a` -> `a`"]),
        ("[constants]\nwidth = 2\na = \"widht * 2\"".into(), &["r.toml:3", "`a`", "`widht`", "did you mean `width`?"]),
        ("[constants]\na = \"1 / 0\"".into(), &["r.toml:2", "`a`", "`1 / 0`"]),
        ("[constants]\na = \"1 // 0\"".into(), &["r.toml:2", "`1 // 0`"]),
        ("[constants]\na = \"1 % 0\"".into(), &["r.toml:2", "`1 % 0`"]),
        ("[constants]\na = \"1e308 * 10.0\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"9223372036854775807 * 3\"".into(), &["r.toml:2", "64 bits"]),
        ("[constants]\na = \"2 ** 3\"".into(), &["r.toml:2", "`**`", "pow"]),
        ("[constants]\na = \"sqrt(-1)\"".into(), &["r.toml:2", "sqrt", "finite"]),
        ("[constants]\na = \"2 +\"".into(), &["r.toml:2", "`2 +`"]),
        ("[constants]\na = \"'x' + 1\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"'x' * 50000000\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"[0] * 50000000\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"nothing(1)\"".into(), &["r.toml:2", "`nothing`"]),
        ("[constants]\na = \"1|nothing\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\n\"a b\" = 1".into(), &["r.toml:2", "`a b`", "name"]),
        ("[constants]\nsqrt = 1".into(), &["r.toml:2", "`sqrt`", "name"]),
        (format!("[constants]\na = \"{}1\"", "1 + ".repeat(2000)), &["r.toml:2", "at most 4096"]),
        (format!("[constants]\na = \"{}1{}\"", "(".repeat(500), ")".repeat(500)), &["r.toml:2", "`a`"]),
        (with("[require]\n\"1 > 2\" = \"one is less\""), &["r.toml:6", "[require]", "one is less"]),
        (with("[require]\n\"1 >\" = \"x\""), &["r.toml:6", "[require]"]),
        (with("[require]\n\"3\" = \"x\""), &["r.toml:6", "true or false"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_sizes_and_names_are_refused_by_file_line_and_key() {
    let long = "x".repeat(600);
    let cases: Vec<(String, &[&str])> = vec![
        (with("x = [-1]"), &["r.toml:5", "`-1`", "non-negative"]),
        (with("x = [1.5]"), &["r.toml:5", "`1.5`", "integer"]),
        (with("x = [\"3 / 2\"]"), &["r.toml:5", "`3 / 2`", "integer"]),
        (with("x = [\"1 - 2\"]"), &["r.toml:5", "-1", "non-negative"]),
        (with("x = [\"'y'\"]"), &["r.toml:5", "text `y`"]),
        (with("x = \"2y3\""), &["r.toml:5", "`2y3`", "not a shape"]),
        (with("x = [281474976710657]"), &["r.toml:5", "2^48"]),
        (with("x = [99999999999, 99999999999]"), &["r.toml:5", "2^48"]),
        (with(&format!("x = [{}]", "1,".repeat(33))), &["r.toml:5", "33 axes"]),
        (with("x = \"{w}\""), &["r.toml:5", "`w`"]),
        (with("x = \"{1\""), &["r.toml:5", "not closed"]),
        (with("x = \"1}\""), &["r.toml:5", "write `}}`"]),
        // Names.
        (with("\"a/../b\" = [2]"), &["r.toml:5", "`..`"]),
        (with("\"{1+0}\" = [2]\n1 = [2]"), &["r.toml:6", "`1`", "two tensors"]),
        (with(&format!("{long} = [2]")), &["r.toml:5", "600 bytes"]),
        (with("\"{'y' * 600}\" = [2]"), &["r.toml:5", "600 bytes"]),
        (with("\"\" = [2]"), &["r.toml:5", "empty"]),
        (with("\"a\\u001b[31m\" = [2]"), &["r.toml:5", "control"]),
        (with("x = { tied = \"y\" }"), &["r.toml:5", "tied to `y`"]),
        (with("x = { tied = \"x\" }"), &["r.toml:5", "itself"]),
        (with("x = { tied = \"y\" }\ny = { tied = \"x\" }"), &["r.toml:5", "itself"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_rules_and_blocks_are_refused_by_file_line_and_key() {
    let nested: Vec<String> = (0..9).map(|depth| format!("[[blocks{}]]", ".blocks".repeat(depth))).collect();
    let nested = nested.join("\n");
    let cases: Vec<(String, &[&str])> = vec![
        ("[tensors]\nw = [2]".into(), &["r.toml:2", "`w`", "no rule"]),
        (
            "[rules]\n\"b\" = \"zeros\"\n\"*\" = \"ones\"\n[tensors]\nw = [2]".into(),
            &["r.toml:2", "`b`", "matches no tensor"],
        ),
        ("[rules]\n\"[\" = \"zeros\"\n[tensors]\nw = [2]".into(), &["r.toml:2", "`[`", "pattern"]),
        ("[rules]\n\"*\" = 3\n[tensors]\nw = [2]".into(), &["r.toml:2", "`*`", "a number"]),
        ("[rules]\n\"*\" = { dtype = \"f16\" }\n[tensors]\nw = [2]".into(), &["r.toml:2", "`scheme`"]),
        ("[rules]\n\"*\" = { shceme = \"ones\" }\n[tensors]\nw = [2]".into(), &["r.toml:2", "did you mean `scheme`?"]),
        ("[rules]\n\"*\" = \"normal:std={sdt}\"\n[tensors]\nw = [2]".into(), &["r.toml:2", "`sdt`"]),
        ("[rules]\n\"*\" = \"he-normal\"\n[tensors]\nw = [2]".into(), &["r.toml:4", "`w`", "line 2"]),
        // Blocks.
        (with("[[blocks]]\nrepeat = { i = 1000000000 }\ntensors = { \"{i}\" = [2] }"), &["r.toml:5", "1,000,000,000"]),
        (
            with("[[blocks]]\nrepeat = { i = 2000, j = 2000 }\ntensors = { \"{i}.{j}\" = [2] }"),
            &["r.toml:5", "4,000,000", "2^20"],
        ),
        (with("[[blocks]]\nrepeat = { i = 9223372036854775807, j = 9223372036854775807 }"), &["r.toml:5", "2^20"]),
        (
            with(
                "[[blocks]]\nrepeat = { i = 2000 }\n[[blocks.blocks]]\nrepeat = { j = 2000 }\ntensors = { \"{i}.{j}\" = [2] }",
            ),
            &["r.toml:5", "4,000,000"],
        ),
        (with("[[blocks]]\nrepeat = { i = -1 }"), &["r.toml:6", "`repeat`", "non-negative"]),
        (with("[[blocks]]\nrepeat = { i = \"'x'\" }"), &["`repeat`", "text `x`"]),
        (with("[[blocks]]\nrepeat = { \"i j\" = 2 }"), &["r.toml:6", "`i j`"]),
        (with("[[blocks]]\nrepeat = 3"), &["r.toml:6", "`repeat`", "a table"]),
        (with("[[blocks]]\nrepaet = { i = 2 }"), &["r.toml:6", "did you mean `repeat`?"]),
        (with("[[blocks]]\nrepeat = { i = 2 }\ntensors = { x = [2] }"), &["r.toml:7", "two tensors are named `x`"]),
        (with("[[blocks]]\nprefix = \"{i}.\"\ntensors = { x = [2] }"), &["r.toml:5", "`prefix`", "`i`"]),
        (with("[[blocks]]\nwhen = \"2\""), &["r.toml:5", "`when`", "true or false"]),
        (with(&nested), &["r.toml:13", "more than 8 deep"]),
        (with("[[blocks]]\ntensors = 3"), &["r.toml:6", "`blocks.tensors`", "a table"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_uses_of_shared_blocks_are_refused_by_file_line_and_key() {
    let shared = |text: &str| {
        with(&format!("[shared.a]\nneeds = [\"n\"]\nwith = {{ m = 3 }}\ntensors = {{ x = [\"n\", \"m\"] }}\n{text}"))
    };
    let deep: Vec<String> = (0..10)
        .map(|depth| format!("[shared.s{depth}]\n[[shared.s{depth}.blocks]]\nuse = \"s{}\"", depth + 1))
        .collect();
    let deep = deep.join("\n") + "\n[shared.s10]\ntensors = { x = [2] }\n[[blocks]]\nuse = \"s0\"";
    let wide: Vec<String> = (0..6)
        .map(|depth| format!("[shared.s{depth}]\nblocks = [{}]", format!("{{ use = \"s{}\" }},", depth + 1).repeat(16)))
        .collect();
    let wide = wide.join("\n") + "\n[shared.s6]\ntensors = {}\n[[blocks]]\nuse = \"s0\"";
    let cases: Vec<(String, &[&str])> = vec![
        (shared("[[blocks]]\nuse = \"b\""), &["r.toml:10: [blocks] `use`", "`b` is not a shared block", "`a`?"]),
        (shared("[[blocks]]\nuse = \"a\""), &["r.toml:10", "`a` needs `n`: add it to `with`"]),
        (shared("[[blocks]]\nuse = \"a\"\nwith = { n = 1, o = 2 }"), &["r.toml:10", "`a` takes no `o`", "use n or m"]),
        (shared("[[blocks]]\nuse = \"a\"\nwith = { n = \"q\" }"), &["r.toml:10", "`with`", "`n`", "unknown name `q`"]),
        (shared("[[blocks]]\nuse = \"a\"\nwith = { n = \"'q'\" }"), &["r.toml:8", "`x`", "the text `q`"]),
        (shared("[[blocks]]\nuse = \"a\"\nwith = 3"), &["r.toml:11: [blocks] `with`", "a table"]),
        (shared("[[blocks]]\nuse = 3"), &["r.toml:10", "`use`", "a number"]),
        (shared("[[blocks]]\nuse = \"a\"\nwith = { \"n m\" = 3 }"), &["r.toml:11", "`n m`", "letters"]),
        (shared("[[blocks]]\nuse = \"a\"\ntensors = { y = [2] }"), &["r.toml:10", "`tensors`", "mutually exclusive"]),
        (shared("[[blocks]]\nwith = { n = 3 }"), &["r.toml:10: [blocks] `with`", "it needs `use`"]),
        (shared("[shared.b]\nuse = \"a\""), &["r.toml:10", "[shared] `use`", "unknown key"]),
        (shared("[shared.b]\ntensors = { y = [\"n +\"] }"), &["r.toml:10", "`y`", "`n +`"]),
        ("shared = 3".into(), &["r.toml:1", "`shared`", "a table"]),
        (
            with(
                "[shared.a]\n[[shared.a.blocks]]\nuse = \"b\"\n[shared.b]\nblocks = [{ use = \"a\" }]\n[[blocks]]\nuse = \"a\"",
            ),
            &["r.toml:9", "`a` uses itself"],
        ),
        (with(&deep), &["r.toml", "nested more than 8 deep"]),
        (with(&wide), &["r.toml", "more than 2^20 repeats"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_components_are_refused_by_file_line_and_key() {
    let two = |text: &str| with(&format!("[components]\nt = \"llama\"\n[[blocks]]\n{text}"));
    let cases: Vec<(String, &[&str])> = vec![
        (with("[components]\nt = \"lama\""), &["r.toml:6: [components] `t`", "`lama`", "did you mean `llama`?"]),
        (with("[components]\nt = 3"), &["r.toml:6", "`t`", "a number"]),
        (with("[components]\n\"a b\" = \"llama\""), &["r.toml:6", "`a b`", "letters"]),
        (with("[components]\nt = \"./r.toml\""), &["r.toml:6", "a component of itself"]),
        (with("[components]\nt = \"./q.toml\""), &["r.toml:6", "`./q.toml`"]),
        (two("component = \"u\""), &["r.toml:8: [blocks] `component`", "`u` is not in [components]"]),
        (two("component = 3"), &["r.toml:8", "`component`", "a number"]),
        (two("component = \"t\"\nuse = \"s\""), &["r.toml:8", "`component` and `use`", "mutually exclusive"]),
        (two("component = \"t\"\ntensors = {}"), &["r.toml:8", "`component` and `tensors`", "mutually exclusive"]),
        (two("head = \"Model\""), &["r.toml:8", "`head`", "it needs `component`"]),
        (two("component = \"t\"\nhead = \"ForCausalML\""), &["r.toml:8", "`ForCausalML` is not a head", "ForCausalLM"]),
        (two("component = \"t\"\nrules = { \"z*\" = \"ones\" }"), &["r.toml:9", "`z*`", "matches no tensor"]),
        (two("component = \"t\"\nrules = { \"*\" = \"onse\" }"), &["r.toml:9", "`onse`"]),
        (two("component = \"t\"\n[constants]\nt = 3"), &["`t`", "a table"]),
        (two("component = \"t\"\n[constants.t]\nhidden_size = \"q\""), &["r.toml:10", "`t.hidden_size`", "`q`"]),
        (two("component = \"t\"\n[constants.t]\nnum_key_value_heads = 5"), &["r.toml:8", "num_key_value_heads"]),
        (two("component = \"t\"\nrepeat = { i = 1000 }\nprefix = \"{i}.\""), &["r.toml:8", "more than 64 components"]),
        (two("component = \"t\"\n[[blocks]]\ncomponent = \"t\""), &["two tensors are named `embed_tokens.weight`"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_changes_of_extended_recipes_are_refused_by_file_line_and_key() {
    let extended = |text: &str| format!("extends = \"gpt2\"\n{text}");
    let cases: Vec<(String, &[&str])> = vec![
        ("extends = \"gtp2\"".into(), &["r.toml:1: `extends`", "`gtp2` is not a model family", "did you mean `gpt2`?"]),
        ("extends = \"shared\"".into(), &["r.toml:1", "`shared` is not a model family"]),
        ("extends = 3".into(), &["r.toml:1", "`extends`", "a number"]),
        ("extends = \"./r.toml\"".into(), &["r.toml:1", "`./r.toml` extends itself"]),
        ("extends = \"./q.toml\"".into(), &["r.toml:1", "`./q.toml`", "No such file"]),
        ("extends = \"..\"".into(), &["r.toml:1", "not a file"]),
        (extended("[remove]\n\"z*\" = true"), &["r.toml:3: [remove] `z*`", "matches no tensor"]),
        (extended("[remove]\n\"*.bias\" = 3"), &["r.toml:3", "an expression"]),
        (extended("[remove]\n\"*.bias\" = \"q\""), &["r.toml:3", "unknown name `q`"]),
        (extended("[remove]\n\"*\" = true"), &["no tensors"]),
        (extended("[remove]\n\"[\" = true"), &["r.toml:3", "pattern"]),
        (extended("[rename]\n\"z*\" = \"y*\""), &["r.toml:3: [rename] `z*`", "matches no tensor"]),
        (extended("[rename]\n\"*wte.weight\" = \"*.*\""), &["r.toml:3", "more `*`"]),
        (extended("[rename]\n\"*wt?.weight\" = \"*\""), &["r.toml:3", "only `*` is a wildcard"]),
        (extended("[rename]\n\"*wte.weight\" = 3"), &["r.toml:3", "a number"]),
        (
            extended("[rename]\n\"*ln_f.*\" = \"x\"\n[tensors]\nx = { shape = [2], scheme = \"ones\" }"),
            &["two tensors are named `x`, one by [rename] in r.toml:3"],
        ),
        (
            extended("[rename]\n\"*ln_f.weight\" = \"*ln_f.bias\""),
            &["two tensors are named `transformer.ln_f.bias`, one by [rename] in r.toml:3"],
        ),
        (extended("[rename]\n\"*ln_f.weight\" = \"a\\u001b\""), &["control"]),
        (extended("[alias]\nwidth = \"n_embed\""), &["r.toml:3: [alias] `width`", "`n_embed` is not a constant"]),
        (extended("[alias]\nn_layer = \"n_embd\""), &["r.toml:3", "`n_layer`", "a constant already"]),
        (
            extended("[alias]\nwidth = \"n_embd\"\nsize = \"width\""),
            &["r.toml:4: [alias] `size`", "`width` is a second name: use `n_embd`"],
        ),
        (extended("[alias]\nwidth = 3"), &["r.toml:3", "`width`", "a number"]),
        (extended("sorted = 3"), &["r.toml:2: `sorted`", "true or false"]),
        (with("[remove]\nw = true"), &["r.toml:5: `remove`", "add `extends`"]),
        (with("[rename]\nw = \"v\""), &["r.toml:5: `rename`", "add `extends`"]),
        (with("[require]\n\"w > 1\" = false"), &["r.toml:6", "`w > 1`", "extended"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn recipes_that_extend_each_other_are_refused() {
    let folder = Folder::new();
    folder.write("a.toml", "extends = \"./b.toml\"");
    folder.write("b.toml", "extends = \"sub/../c.toml\"");
    folder.write("c.toml", "extends = \"./a.toml\"\n[tensors]\nw = [2]");
    std::fs::create_dir(folder.join("sub")).unwrap();
    for number in 0..20 {
        folder.write(&format!("d{number}.toml"), format!("extends = \"./d{}.toml\"", number + 1));
    }
    for (file, words) in
        [("a.toml", ["c.toml:1: `extends`", "extends itself"]), ("d0.toml", ["d15.toml:1", "at most 16"])]
    {
        let ended = Ended::of(folder.command(FANIN).args(["model", file, "-o", "out.npz"]));
        assert!(ended.is_refusal() && words.iter().all(|word| ended.stderr.contains(word)), "{}", ended.stderr);
    }
}

#[test]
fn bad_json_files_and_options_are_refused() {
    let good = || with("").into_bytes();
    let deep = format!("{{\"tensors\":{{\"w\":{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    let mut huge = good();
    huge.resize((16 << 20) + 1, b'\n');
    let utf16: Vec<u8> = with("").encode_utf16().flat_map(u16::to_le_bytes).collect();
    all_refused(&[
        ("r.json", b"{\n\"tensors\": {\"w\": [2],\n\"w\": [2]}}".to_vec(), "", &["r.json:3", "`w`", "two entries"]),
        ("r.json", b"{\n\"tensors\": {}\n\"rules\": {}}".to_vec(), "", &["r.json:3", "not JSON"]),
        ("r.json", b"{\"tensors\": {\n\"w\":\n[2, {}]}}".to_vec(), "", &["r.json:3", "[tensors] `w`", "a table"]),
        ("r.json", b"{\"tensors\": {\"w\": null}}".to_vec(), "", &["r.json:1", "`w`", "null"]),
        ("r.json", b"{\"tensors\": {\"w\": [1e999]}}".to_vec(), "", &["r.json:1"]),
        ("r.json", b"{\"tensors\": {\"w\": [2]}} {}".to_vec(), "", &["r.json:1", "not JSON"]),
        ("r.json", deep, "", &["r.json:1"]),
        ("r.toml", huge, "", &["r.toml", "16 MiB"]),
        ("r.toml", b"[tensors]\n\"\xff\" = [2]".to_vec(), "", &["r.toml", "line 2", "UTF-8"]),
        ("r.toml", [b"\xff\xfe".to_vec(), utf16].concat(), "", &["r.toml", "UTF-8"]),
        ("r.toml", good(), "--set hidden=3", &["r.toml", "`hidden`", "no such constant"]),
        ("r.toml", good(), "--set hidden", &["--set", "NAME=VALUE"]),
        ("r.toml", with("[constants]\nhidden = 3").into_bytes(), "--set hiden=3", &["did you mean `hidden`?"]),
        ("r.toml", with("[constants]\nhidden = 3").into_bytes(), "--set hidden=x", &["`hidden`", "a number", "text"]),
        ("r.toml", with("[constants.a]\nb = 3").into_bytes(), "--set a=3", &["`a`", "a table"]),
        ("r.toml", with("[constants.a]\nb = 3").into_bytes(), "--set a.c=3", &["`a.c`", "did you mean `a.b`?"]),
        ("r.toml", with("[constants]\nhidden = 3").into_bytes(), "--set hidden=3 --set hidden=4", &["given twice"]),
        (
            "r.toml",
            with("[constants]\nx = '([1] * 100000000)|last'").into_bytes(),
            "",
            &["r.toml:", "a list cannot be repeated"],
        ),
        ("r.toml", good(), "--dtype f33", &["f33"]),
        ("r.toml", good(), "--seed x", &["seed"]),
    ]);
}
