//! Completions and manual pages.

use crate::common::{FANIN, Folder};

/// The commands of the program.
const COMMANDS: [&str; 10] =
    ["init", "mlp", "model", "pretrain", "list", "inspect", "verify", "explain", "completions", "man"];

/// The candidates for the last of these words.
fn candidates(folder: &Folder, words: &[&str]) -> Vec<String> {
    let mut command = folder.command(FANIN);
    command.args(["--", "fanin"]).args(words).env("FANIN_COMPLETE", "fish");
    let answered = String::from_utf8(command.output().unwrap().stdout).unwrap();
    answered.lines().map(|line| line.split('\t').next().unwrap_or_default().into()).collect()
}

#[test]
fn every_word_that_an_argument_takes_is_completed() {
    let folder = Folder::new();
    folder.write("gpt-small.toml", "");
    for (line, found) in [
        ("init glorot-n", "glorot-normal"),
        ("init keras.HeN", "keras.HeNormal"),
        ("init torch.nn.LST", "torch.nn.LSTM"),
        ("init zeros 3 --dt", "--dtype"),
        ("init zeros 3 --dtype bf", "bf16"),
        ("init zeros 3 --layout ker", "keras"),
        ("init zeros 3 --like tenso", "tensorflow"),
        ("init zeros 3 --format safe", "safetensors"),
        ("mlp 3-4 --activation soft", "softplus"),
        ("mlp 3-4 --output-scheme zer", "zeros"),
        ("mlp 3-4 --bias non", "none"),
        ("model gpt", "gpt2"),
        ("model gpt", "gpt-small.toml"),
        ("model gpt2 --tok", "--tokenizer-from"),
        ("model w.npz --rules mom", "moments"),
        ("model w.npz --rules gpt", "gpt-small.toml"),
        ("pretrain weig", "weight-norm"),
        ("pretrain rbm 3-4 --visible gau", "gaussian"),
        ("pretrain rbm 3-4 --scale mi", "minmax"),
        ("list gen", "generators"),
        ("list schemes --framework lasa", "lasagne"),
        ("explain pack", "packing"),
        ("explain ort", "orthogonal"),
        ("explain torch.nn.LSTMC", "torch.nn.LSTMCell"),
        ("verify w.npy --scheme zer", "zeros"),
        ("completions fi", "fish"),
        ("man insp", "inspect"),
        ("insp", "inspect"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let candidates = candidates(&folder, &words);
        let once = candidates.iter().filter(|candidate| *candidate == found).count();
        assert_eq!(once, 1, "{line}: {candidates:?}");
        let typed = words[words.len() - 1];
        assert!(candidates.iter().all(|candidate| candidate.starts_with(typed)), "{line}: {candidates:?}");
    }
    assert!(!candidates(&folder, &["init", ""]).contains(&"packing".into()));
    assert!(!candidates(&folder, &["init", ""]).contains(&"keras.HeNormal".into()), "names of frameworks follow a dot");
}

#[test]
fn every_shell_has_a_script() {
    let folder = Folder::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = String::from_utf8(folder.done(&format!("completions {shell}"))).unwrap();
        assert!(script.contains("FANIN_COMPLETE") && script.contains("fanin"), "{shell}: {script}");
    }
}

#[test]
fn every_manual_page_has_examples_the_exit_status_and_the_environment() {
    let folder = Folder::new();
    for command in COMMANDS.iter().map(|command| format!("man {command}")).chain(["man".into()]) {
        let page = String::from_utf8(folder.done(&command)).unwrap();
        for heading in ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT"] {
            let heading = [format!(".SH {heading}\n"), format!(".SH \"{heading}\"\n")];
            assert!(heading.iter().any(|heading| page.contains(heading)), "{command}: {heading:?}\n{page}");
        }
        assert!(page.contains("141") && page.contains("FANIN_CPU"), "{command}: {page}");
    }
}
