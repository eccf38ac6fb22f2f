//! The help of every command, and the usage below an error of the command line.

use crate::common::{Ended, Folder};

/// Each command, and the most lines of its short help.
const VERBS: &[(&str, usize)] = &[
    ("init", 60),
    ("mlp", 60),
    ("model", 60),
    ("pretrain", 100),
    ("list", 60),
    ("inspect", 60),
    ("verify", 60),
    ("explain", 60),
    ("completions", 60),
    ("man", 60),
];

/// The headings of options, in order; `pretrain` also has one for each method.
const HEADINGS: &[&str] = &[
    "Input:",
    "Schemes:",
    "Axes and fans:",
    "Numbers:",
    "All methods:",
    "Several methods:",
    "rbm:",
    "dae:",
    "pca:",
    "kmeans:",
    "Starting weight:",
    "Statistical test:",
    "Output:",
    "Many machines:",
    "Resources:",
    "Help:",
];

/// The help of a command on a terminal of 80 columns.
fn help(line: &str) -> String {
    let ended = Ended::of(Folder::new().fanin(line).env("COLUMNS", "80"));
    assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn short_help_fits_a_page_of_80_columns_and_begins_with_three_examples() {
    for (verb, most) in VERBS {
        let help = help(&format!("{verb} -h"));
        assert!(help.lines().count() <= *most, "{verb} has {} lines:\n{help}", help.lines().count());
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let lines: Vec<&str> = help.lines().skip(1).take(6).collect();
        assert_eq!((lines[0], lines[1], lines[5]), ("", "Examples:", ""), "{help}");
        let is_example = |line: &&str| line.starts_with("  ") && line.contains(&format!("fanin {verb}"));
        assert!(lines[2..5].iter().all(is_example), "{help}");
    }
}

#[test]
fn every_option_has_a_heading_and_all_commands_order_them_in_the_same_way() {
    for (verb, _) in VERBS {
        for form in ["-h", "--help"] {
            let help = help(&format!("{verb} {form}"));
            let mut places = Vec::new();
            for line in help.lines() {
                if let Some(place) = HEADINGS.iter().position(|heading| *heading == line) {
                    places.push(place);
                }
                let is_option = line.starts_with("  -") || line.starts_with("      --");
                assert!(!is_option || !places.is_empty(), "{verb}: no heading for {line}");
            }
            assert!(places.is_sorted() && !help.contains("\nOptions:\n"), "{help}");
        }
        let help = help(&format!("{verb} --help"));
        let many_machines = ["--rank", "--world-size", "--max-shard-size"].map(|option| help.contains(option));
        assert_eq!(many_machines, [matches!(*verb, "init" | "model"); 3], "{verb}");
        assert_eq!(help.contains("--tokenizer-from"), *verb == "model", "{verb}");
    }
}

#[test]
fn a_command_line_that_cannot_be_parsed_is_answered_with_the_usage_of_its_command() {
    let folder = Folder::new();
    let usage = |line: &str| Ended::of(&mut folder.fanin(line)).stderr;
    let of_init =
        "\nUsage: fanin init [OPTIONS] <SCHEME> <[NAME=]SHAPE>...\n\nFor more information, try 'fanin init --help'.\n";
    for (line, fault) in [
        ("init", "missing SCHEME and [NAME=]SHAPE, as in `fanin init he-normal 784x256`"),
        ("init normal", "missing [NAME=]SHAPE, as in `fanin init normal 784x256`"),
        ("init normal 3 --sed 4", "unknown option `--sed`; did you mean `--seed`?"),
        ("init normal 3 --seed 1 --seed 2", "--seed is given twice"),
        ("init normal 3 --threads 0", "--threads `0`: use a whole number from 1 to 1024"),
        ("init normal 3 --json=4", "--json takes no value, but `4` was given"),
        ("init normal 3 --format foo", "--format: unknown format `foo`; `fanin list formats` shows all"),
    ] {
        assert_eq!(usage(line), format!("fanin: {fault}\n{of_init}"), "{line}");
    }
    assert!(usage("zzz").ends_with("\nUsage: fanin [COMMAND]\n\nFor more information, try 'fanin --help'.\n"));
    // An error of content has one line.
    assert_eq!(usage("init normal 3x"), usage("init normal 3x").lines().next().unwrap().to_string() + "\n");
}

#[test]
fn an_error_has_colours_only_if_they_are_wanted() {
    let folder = Folder::new();
    let shown = |name: &str, value: &str| {
        let mut command = folder.fanin("init");
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env(name, value);
        Ended::of(&mut command).stderr
    };
    assert!(shown("CLICOLOR_FORCE", "1").starts_with("\u{1b}[1m\u{1b}[31mfanin:\u{1b}[0m missing"));
    assert!(!shown("TERM", "xterm").contains('\u{1b}'), "standard error is no terminal");
}
