//! Screens of terminals of several widths: `tests/data/screens/WIDTH.txt` has the commands and the text that each shows.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Folder, has};

const WIDTHS: [usize; 3] = [40, 80, 160];

/// The commands, in one folder.
const COMMANDS: &[&str] = &[
    "fanin init glorot-uniform fc1=784x256 fc2=256x10 -o mlp.npz",
    "fanin inspect mlp.npz",
    "fanin inspect mlp.npz --tensor fc1 --plot --spectrum",
    "fanin verify mlp.npz",
    "fanin verify mlp.npz --distribution",
    "fanin init glorot-uniform 4x3",
    "fanin init HeNormal 784x256 -o he.npy",
    "fanin mlp 784-256-10 --layout torch -o mlp.safetensors",
    "fanin mlp 4-3-3-3-2 --scheme normal:std=1",
    "fanin model gpt2 --set n_layer=2 --set n_embd=64 --set n_head=2 --set vocab_size=100 --dry-run -o tiny/",
    "fanin pretrain pca 10-2 --data mlp.npz --data-tensor fc2 -o pca.npz",
    "fanin list formats",
    "fanin list gains",
    "fanin explain he-normal",
];

fn page(width: usize) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/screens/{width}.txt"))
}

/// The part of a line that a terminal still shows: the text after the last progress bar.
fn settled(line: &str) -> &str {
    line.rsplit(['\r', '\u{1b}']).next().unwrap_or_default().trim_start_matches("[2K").trim_end()
}

/// The text of a command at a terminal, without the time that it took.
fn screen(folder: &Folder, width: usize, command: &str) -> String {
    let command = command.replacen("fanin", "\"$FANIN\"", 1);
    let typed = format!("stty cols {width}; {command}");
    let ended = folder.shell(&format!("NO_COLOR=1 TERM=xterm script -qec '{typed}' /dev/null"));
    assert_eq!(ended.status, 0, "{command}: {ended:?}");
    let text = String::from_utf8(ended.stdout).unwrap().replace("\r\n", "\n");
    let lines = text.lines().map(|line| {
        let words: Vec<&str> = settled(line).split(' ').collect();
        let is_time = |place: usize| words.get(place + 1).is_some_and(|unit| ["s", "s,", "GB/s"].contains(unit));
        let word =
            |(place, word): (usize, &&str)| if is_time(place) { "0.00".to_string() } else { (*word).to_string() };
        words.iter().enumerate().map(word).collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_command_fits_terminals_of_several_widths() {
    if !has("script", "screens of terminals") {
        return;
    }
    for width in WIDTHS {
        let folder = Folder::new();
        let screens = COMMANDS.iter().map(|command| format!("$ {command}\n{}\n", screen(&folder, width, command)));
        let screens = screens.collect::<Vec<_>>().join("\n");
        for line in screens.lines().filter(|line| !line.starts_with("$ ")) {
            let is_word = !line.trim().contains(' ');
            assert!(line.chars().count() <= width || is_word, "wider than {width}: {line}");
        }
        if std::env::var_os("FANIN_SCREENS").is_some() {
            fs::create_dir_all(page(width).parent().unwrap()).unwrap();
            fs::write(page(width), &screens).unwrap();
        }
        let expected = fs::read_to_string(page(width)).unwrap_or_default();
        assert!(screens == expected, "tests/data/screens/{width}.txt differs; it has now:\n{screens}");
    }
}

#[test]
fn every_list_fits_a_narrow_terminal() {
    let folder = Folder::new();
    for what in [
        "schemes",
        "frameworks",
        "generators",
        "layouts",
        "models",
        "modules",
        "pretrain-methods",
        "schemes --framework torch",
    ] {
        let ended = folder.shell(&format!("COLUMNS=40 \"$FANIN\" list {what}"));
        let text = String::from_utf8(ended.stdout).unwrap();
        assert!(!text.is_empty());
        for line in text.lines() {
            assert!(line.chars().count() <= 40 || !line.trim().contains(' '), "{what}: {line}");
        }
    }
}

#[test]
fn a_locale_without_utf_8_gets_ascii() {
    let folder = Folder::new();
    folder.done("init normal w=64x64 b.0=2 b.1=2 -q -o w.npz");
    for (locale, is_ascii) in
        [("LC_ALL=C", true), ("LC_ALL= LC_CTYPE= LANG=POSIX", true), ("LC_ALL= LC_CTYPE=C.utf8 LANG=C", false)]
    {
        for line in ["inspect w.npz --plot --spectrum", "inspect w.npz --tree", "inspect --help", "explain s4d-inv"] {
            let ended = folder.shell(&format!("{locale} \"$FANIN\" {line}"));
            let text = String::from_utf8(ended.stdout).unwrap();
            assert!(text.is_ascii() == is_ascii && !text.replace("`?`", "").contains('?'), "{locale} {line}: {text}");
        }
    }
}

#[test]
fn files_and_pipes_get_lines_of_any_length_unless_columns_is_set() {
    let folder = Folder::new();
    folder.done("init glorot-uniform w=4x3 -q -o w.npz");
    let rows = |command: &str| String::from_utf8(folder.shell(command).stdout).unwrap();
    let row = |text: &str| text.lines().filter(|line| line.starts_with('w')).map(String::from).collect::<Vec<_>>();
    let piped = rows("\"$FANIN\" inspect w.npz");
    assert!(row(&piped)[1].ends_with("glorot-uniform:gain=1"), "{piped}");
    let narrow = rows("COLUMNS=80 \"$FANIN\" inspect w.npz");
    assert!(narrow.lines().any(|line| line.trim() == "glorot-uniform:gain=1"), "{narrow}");
    assert_eq!(rows("COLUMNS=0 \"$FANIN\" inspect w.npz"), piped);
}

#[test]
fn a_terminal_shows_a_few_tensors_and_counts_the_others() {
    if !has("script", "values at a terminal") {
        return;
    }
    let folder = Folder::new();
    let names = |count: usize| (0..count).map(|number| format!("t{number}x=2x2")).collect::<Vec<_>>().join(" ");
    let shown = |count: usize| {
        let typed = format!("\"$FANIN\" init normal:std=1 {}", names(count));
        String::from_utf8(folder.shell(&format!("NO_COLOR=1 script -qec '{typed}' /dev/null")).stdout).unwrap()
    };
    let many = shown(100);
    assert!(many.contains("... and 94 more tensors; use -o FILE to write them"), "{many}");
    assert_eq!(many.matches("[[").count(), 6, "{many}");
    assert!(many.lines().count() < 80, "{many}");
    let typed = format!("\"$FANIN\" init normal:std=1 {} --verbose", names(9));
    let verbose = folder.shell(&format!("NO_COLOR=1 script -qec '{typed}' /dev/null")).stdout;
    assert_eq!(String::from_utf8(verbose).unwrap().matches("=2x2 f32").count(), 9);
    assert!(shown(7).contains("... and 1 more tensor; use -o FILE to write it"));
    assert!(!shown(6).contains("more tensor"));
}

#[test]
fn headings_and_verdicts_have_colours_at_a_terminal_only() {
    if !has("script", "colours at a terminal") {
        return;
    }
    let folder = Folder::new();
    folder.done("init normal:std=1 w=4x3 -q -o w.npz");
    let at = |environment: &str, line: &str| {
        let ended = folder.shell(&format!("{environment} script -qec '\"$FANIN\" {line}' /dev/null"));
        String::from_utf8(ended.stdout).unwrap()
    };
    let terminal = "unset NO_COLOR; export TERM=xterm;";
    for (line, coloured) in [
        ("inspect w.npz", "mname  shape"),
        ("verify w.npz", "mequal:\u{1b}[0m 1 tensor"),
        ("verify w.npz --scheme normal:std=1 --seed 1", "mdifferent:\u{1b}[0m 1 mismatch"),
    ] {
        assert!(at(terminal, line).contains(coloured), "{line}: {}", at(terminal, line));
        assert!(!at("export NO_COLOR=1 TERM=xterm;", line).contains('\u{1b}'), "{line}");
        assert!(!folder.shell(&format!("unset NO_COLOR; \"$FANIN\" {line}")).stdout.contains(&0x1b), "{line}");
    }
}

#[test]
fn a_spinner_names_the_matrix_that_is_drawn_as_a_whole() {
    if !has("script", "the spinner at a terminal") {
        return;
    }
    let folder = Folder::new();
    let at_terminal = folder
        .shell("TERM=xterm script -qec '\"$FANIN\" init orthogonal:method=householder w=512x512 -o w.npy' /dev/null");
    let text = String::from_utf8_lossy(&at_terminal.stdout).into_owned();
    assert!(text.contains("drawing w=512x512"), "{text}");
    assert!(
        !folder.shell("\"$FANIN\" init orthogonal:method=householder w=512x512 -o v.npy").stderr.contains("drawing")
    );
}
