//! Unknown words, options and arguments.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::bad_input::{all_lines_refused, all_refused};
use crate::common::{Ended, Folder};

#[test]
fn unknown_words_are_refused_with_the_nearest_known_one() {
    all_refused(&[
        ("inti normal 3", &["`inti`", "`init`"]),
        ("frobnicate", &["`frobnicate`"]),
        ("init nromal 3", &["`nromal`", "did you mean `normal`?"]),
        ("init glorot-unifrom 3x3", &["`glorot-unifrom`", "did you mean `glorot-uniform`?"]),
        ("init kaiming_nromal_ 3x3", &["`kaiming_nromal_`", "did you mean `kaiming_normal"]),
        ("init qqqqqqqq 3", &["`qqqqqqqq`", "fanin list schemes"]),
        ("init tourch.normal_ 3", &["`tourch`", "did you mean `torch`?"]),
        ("init torch. 3x3", &["a name is missing after `torch.`", "fanin list schemes --framework torch"]),
        ("init keras.layers.LSTM 12x8", &["`keras.layers.LSTM` is a layer", "torch.nn.NAME"]),
        ("model gpt2 --set n_head=5 -o x/", &["fanin: n_embd must be a multiple of n_head"]),
        ("pretrain rbm 4-2 --cd-k x --data x.npy", &["--cd-k is `x`"]),
        ("init torch.he 3", &["`he` alone is a scheme"]),
        ("init normal:sdt=1 3", &["`sdt`", "did you mean `std`?", "mean"]),
        ("init zeros:value=1 3", &["`value`", "takes none"]),
        ("init lecun-normal:gain=2 3x3", &["`gain`", "takes groups"]),
        ("init he-normal:gain=rleu 3x3", &["`rleu`", "did you mean `relu`?"]),
        ("init he-normal:mode=fan-on 3x3", &["`fan-on`", "did you mean `fan-in`?", "fan-geo-avg"]),
        ("init glorot:distribution=unifrom 3x3", &["`unifrom`", "did you mean `uniform`?"]),
        ("init orthogonal:method=qr 3x3", &["`qr`", "svd", "householder"]),
        ("init normal 3 --format npx", &["`npx`", "did you mean `npy`?"]),
        ("init normal 3 --format NPYYY", &["`NPYYY`", "`fanin list formats` shows all"]),
        ("init normal 3 --layout trch", &["`trch`", "did you mean `torch`?"]),
        ("init normal 3x3 --layout oz", &["`oz`", "use letters, as in oihw"]),
        ("init normal 3 --dtype f23", &["`f23`", "f64, f32, f16, bf16 or an integer type", "did you mean `f"]),
        ("init normal 3 --sed 1", &["`--sed`", "`--seed`"]),
        ("init normal 3 -x", &["`-x`"]),
        ("list shcemes", &["`shcemes`", "schemes"]),
        ("list", &["WHAT"]),
        ("explain nromal", &["`nromal`", "did you mean `normal`?"]),
        ("explain", &["NAME"]),
        ("completions tcsh", &["`tcsh`", "bash", "zsh"]),
        ("man inti", &["`inti`"]),
    ]);
}

#[test]
fn flags_out_of_range_repeated_or_without_a_value_are_refused() {
    const SEED: &str = "0 to 2^64-1";
    all_refused(&[
        ("init zeros 3 --seed -1", &["`-1`", SEED]),
        ("init zeros 3 --seed +1", &["`+1`", SEED]),
        ("init zeros 3 --seed 1e3", &["`1e3`", SEED]),
        ("init zeros 3 --seed 0x", &["`0x`", SEED]),
        ("init zeros 3 --seed 0xg", &["`0xg`", SEED]),
        ("init zeros 3 --seed 18446744073709551616", &["`18446744073709551616`", SEED]),
        ("init zeros 3 --seed 0x10000000000000000", &["`18446744073709551616`", SEED]),
        ("init zeros 3 --seed Random", &["`Random`", SEED]),
        ("init zeros 3 --threads 0", &["`0`", "1 to 1024"]),
        ("init zeros 3 --threads 1025", &["`1025`", "1 to 1024"]),
        ("init zeros 3 --threads -1", &["`-1`", "1 to 1024"]),
        ("init zeros 3 --threads all", &["`all`", "--threads"]),
        ("init zeros 3 --max-memory 8GB", &["`8GB`", "8GiB"]),
        ("init zeros 3 --max-memory -1", &["-1"]),
        ("init zeros 3 --max-memory=-1", &["`-1`", "number of bytes"]),
        ("init zeros 3 --max-memory 99999999999TiB", &["`99999999999TiB`", "2^64"]),
        ("init zeros 3 --seed 1 --seed 2", &["--seed", "given twice"]),
        ("init zeros 3 --format npy --format npz", &["--format", "given twice"]),
        ("init zeros 3 -o a.npy -o b.npy", &["--output", "given twice"]),
        ("init zeros 3 --force --force", &["--force", "given twice"]),
        ("init zeros 3 --output=", &["--output", "needs a value"]),
        ("init zeros 3 --seed", &["--seed", "needs a value"]),
        ("init zeros 3 --json=1", &["`1`", "--json"]),
        ("init zeros -- --help", &["`--help`", "`784x256`"]),
        ("list schemes formats", &["`formats`"]),
    ]);
}

#[test]
fn arguments_that_are_no_words_are_refused() {
    let line = |arguments: &[&[u8]]| arguments.iter().map(|argument| OsString::from_vec(argument.to_vec())).collect();
    all_lines_refused(&[
        (line(&[b"init", b"zeros", b"\xff=3"]), &["`\u{fffd}=3`", "not UTF-8"]),
        (line(&[b"init", b"nor\xffmal", b"3"]), &["`nor\u{fffd}mal`", "not UTF-8"]),
        (line(&[b"init", b"zeros", b"3", b"--format", b"\xc3"]), &["not UTF-8"]),
        (line(&[b"init", b"zeros", b"3", b"-o", b"\xff"]), &["`\u{fffd}`", "extension"]),
        (line(&[b"\xff"]), &["`\u{fffd}`"]),
        (line(&[b""]), &["``"]),
        (line(&[b"init", b"", b"3"]), &["SCHEME", "needs a value"]),
        (line(&[b"init", b"zeros", b""]), &["``", "`784x256`"]),
        (line(&[b"init", b"zeros", b"3\n"]), &["3\\u{a}", "`784x256`"]),
        (line(&[b"init", b"zeros", b"a\nb=3"]), &["a\\u{a}b", "control"]),
        (line(&[b"init", b"zeros\x1b]52;c;aGk=\x07", b"3"]), &["zeros\\u{1b}]52;c;aGk:\\u{7}"]),
        (line(&[b"init", b"zeros", b"3", b"-o", b"\x1b[2J.foo"]), &["`\\u{1b}[2J.foo`", "extension"]),
        (line(&[b"init", b"zeros", b"3", b"-o", b""]), &["--output", "needs a value"]),
    ]);
}

#[test]
fn the_longest_arguments_are_refused_with_their_start_and_the_allowed_words() {
    // Linux passes 128 KiB in one argument at most, and more in several.
    let long = |beginning: &str| OsString::from(format!("{beginning}{}", "x".repeat(131_000 - beginning.len())));
    let init = |arguments: &[OsString]| [&["init".into()], arguments].concat();
    all_lines_refused(&[
        (vec![long("fro")], &["`froxxx", "xxx`"]),
        (init(&[long("fro"), "3".into()]), &["`froxxx", "fanin list schemes"]),
        (init(&[long("normal:std="), "3".into()]), &["`xxx", "finite number"]),
        (init(&[long("normal:x"), "3".into()]), &["`xxx", "finite number"]),
        (init(&["zeros".into(), long("")]), &["`xxx", "`784x256`"]),
        (init(&["zeros".into(), long("3x")]), &["`3xxx", "`784x256`"]),
        (init(&["zeros".into(), format!("{}=3", "n".repeat(131_000)).into()]), &["131000 bytes", "at most 512"]),
        (init(&["zeros".into(), vec!["1"; 65_000].join("x").into()]), &["65000 axes", "at most 32"]),
        (init(&["zeros".into(), "3".into(), long("--")]), &["`--xxx"]),
        (init(&["zeros".into(), "3".into(), "--layout".into(), long("o")]), &["oxxx", "use letters, as in oihw"]),
        (init(&["zeros".into(), "3".into(), "--format".into(), long("n")]), &["`nxxx", "fanin list formats"]),
        (init(&["zeros".into(), "3".into(), "--seed".into(), long("1")]), &["`1xxx", "0 to 2^64-1"]),
        (init(&["zeros".into(), "3".into(), "-o".into(), long("w")]), &["`wxxx", "extension"]),
        (init(&[&["zeros".into()][..], &vec![long("3x"); 8]].concat()), &["`3xxx", "`784x256`"]),
    ]);
}

#[test]
fn a_long_word_is_abridged_in_an_error() {
    let folder = Folder::new();
    for line in
        ["explain", "list", "init zeros 3 --layout", "init zeros 3 --like", "pretrain rbm 4-2 --data x.npy --cd-k"]
    {
        let ended = Ended::of(&mut folder.fanin(&format!("{line} {}", "x".repeat(5000))));
        assert!(ended.is_refusal() && ended.stderr.contains("xxx...xxx"), "{line}: {}", ended.stderr);
        assert!(ended.stderr.len() < 600, "{line}: {}", ended.stderr);
    }
}

#[test]
fn names_that_are_no_schemes_are_refused_with_what_to_do_instead() {
    all_refused(&[
        ("init lsuv 3x3", &["`lsuv`", "no scheme here", "batch of data", "`orthogonal`"]),
        ("init LSUV-init:tol=0.1 3x3", &["no scheme here", "`orthogonal`"]),
        ("init weight-norm 3x3", &["data", "`normal:std=0.05`"]),
        ("init actnorm 3", &["data", "`ones`", "`zeros`"]),
        ("init metainit 3x3", &["gradients", "`he-normal`"]),
        ("init peft.lora_ga 3x3", &["gradients", "`lora-b`"]),
        ("init loftq 3x3", &["quantising"]),
        ("init mup 3x3", &["base model"]),
        ("init gpt2 3x3", &["a scheme for each name", "`fanin model`"]),
        ("init mxnet.Mixed 3x3", &["by parameter name"]),
        ("init mxnet.init.Load 3x3", &["from a file", "fanin inspect"]),
        ("init keras.get 3x3", &["`keras.HeNormal`"]),
        ("init tf.initializers.get 3x3", &["`keras.HeNormal`"]),
        ("init torch.nn.init.calculate_gain 3x3", &["gain", "fanin list gains"]),
        ("list schemes --framework troch", &["`troch`", "did you mean `torch`?"]),
        ("list frameworks --framework torch", &["--framework", "only for schemes"]),
        ("list gains --markdown", &["--markdown", "frameworks and models"]),
        ("list schemes --framework torch --markdown", &["--framework", "--markdown"]),
        ("init torch.kaiming_normal_:a=0.2,nonlinearity=rleu 3x3", &["`rleu`", "did you mean `relu`?"]),
        ("init torch.kaiming_normal_:a=0.2,slope=0.1 3x3", &["`slope` is given twice"]),
        ("init keras.HeNormal:a=0.2 3x3", &["no parameter `a`", "`fanin explain variance-scaling`"]),
    ]);
}

#[test]
fn an_unknown_width_of_vectors_is_refused() {
    let folder = Folder::new();
    let ended = Ended::of(folder.fanin("init ones 3 -o w.npy").env("FANIN_CPU", "avx"));
    assert!(ended.is_refusal(), "{}", ended.stderr);
    assert!(ended.stderr.contains("`avx`") && ended.stderr.contains("baseline, avx2, avx512"), "{}", ended.stderr);
}
