//! `--data` as text: what programs write is read, and what cannot be read is refused with the way out, in little memory.

use std::fmt::Write as _;
use std::path::Path;

use super::refused;
use crate::common::{Ended, FANIN, Folder, TIME, peak_memory, skipped};

/// Samples of four features, with a few digits each.
fn rows() -> Vec<[f64; 4]> {
    (0u32..60).map(|n| [1, 7, 13, 29].map(|step| f64::from(n * step * 37 % 101) / 64.0 - 0.5)).collect()
}

/// The samples as lines, each by a function.
fn lines(line: impl Fn(usize, [String; 4]) -> String) -> String {
    let with = |(number, row): (usize, [f64; 4])| line(number, row.map(|value| format!("{value:?}"))) + "\n";
    rows().into_iter().enumerate().map(with).collect()
}

fn joined(delimiter: &str) -> String {
    lines(|_, row| row.join(delimiter))
}

/// What is learned from a file.
#[track_caller]
fn learned(folder: &Folder, data: &str) -> Vec<u8> {
    folder.done(&format!("pretrain pca 4-3 --data {data} -q --force -o w.npy.json --format json"));
    let text = String::from_utf8(folder.read("w.npy.json")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    parsed["tensors"].to_string().into_bytes()
}

#[test]
fn numbers_of_a_text_are_read_whatever_stands_between_them() {
    let folder = Folder::new();
    folder.write("x.csv", joined(","));
    let plain = learned(&folder, "x.csv");
    let columns = lines(|number, row| format!("{number},{}", row.join(",")));
    for (name, text, options) in [
        ("blanks.txt", joined(" "), ""),
        ("runs.dat", lines(|_, row| format!("  {} ", row.join("   \t"))), ""),
        ("tabs.tsv", joined("\t"), ""),
        ("semicolons.csv", joined(";"), ""),
        ("bars", joined("|"), ""),
        ("colons.txt", joined(":"), "--delimiter :"),
        ("spaced.csv", joined(", "), ""),
        ("forced.txt", joined(" "), "--delimiter space"),
        ("savetxt.txt", format!("# a b c d\n{}# the end\n", joined(" ")), ""),
        ("crlf.csv", format!("\u{feff}a,b,c,d\r\n{}", joined(",").replace('\n', "\r\n")), ""),
        ("open.csv", joined(",").trim_end().to_string(), ""),
        ("quoted.csv", lines(|_, row| format!("\"{}\"", row.join("\",\""))), ""),
        ("pk.csv", format!("PK,b,c,d\n{}", joined(",")), ""),
        ("counted.csv", format!("0,1,2,3\n{}", joined(",")), ""),
        ("pandas.csv", format!(",0,1,2,3\n{columns}"), "--columns 2-"),
        ("named.csv", format!(",a,b,c,\"d,\ne\"\n{columns}"), "--columns a,b,4-5"),
        ("r.txt", format!("\"a\" \"b\" \"c\" \"d\"\n{}", columns.replace(',', " ")), "--columns a,b,c,d"),
        ("label.csv", lines(|_, row| format!("{},\"one; two, \"\"three\"\"\"", row.join(","))), "--columns 1-4"),
        ("bars.txt", lines(|_, row| format!("{},\"a\nb\"", row.join(","))), "--columns 1,2,3,4"),
    ] {
        folder.write(name, text);
        assert!(learned(&folder, &format!("{name} {options}")) == plain, "{name} {options}");
    }
    let ended = Ended::of(&mut folder.fanin("pretrain pca 4-3 --data counted.csv --force -o w.npz"));
    assert!(ended.stderr.contains("note: line 1 of the data is 0, 1, 2, ..."), "{}", ended.stderr);
    folder.done("pretrain pca 2-2 --data pandas.csv --columns 5,3 -q -o two.npz");
    folder.done("verify two.npz --data pandas.csv --columns 5,3");
    let ended = Ended::of(&mut folder.fanin("verify two.npz --data pandas.csv --columns 3,5"));
    assert!(ended.is_refusal() && ended.stderr.contains("SHA-256"), "{ended:?}");
}

#[test]
fn what_is_no_number_is_refused_with_the_way_out() {
    let folder = Folder::new();
    let labelled = format!("a,b,c,d,kind\n{}", lines(|_, row| format!("{},setosa", row.join(","))));
    let gaps = lines(|number, mut row| {
        if number % 20 == 2 {
            row[1] = if number > 30 { "?".into() } else { "NA".into() };
        }
        row.join(",")
    });
    for (name, text, words) in [
        ("label.csv", labelled.as_str(), &["line 2, column 5 (`kind`): `setosa` is not a number", "--columns 1-4"][..]),
        ("index.csv", ",a,b\n0,1,2\n1,3,4\n", &["first column has no name", "--columns 2-"]),
        ("gaps.csv", &gaps, &["line 3, column 2: `NA` is a missing value, one of 3", "--columns 1,3-4"]),
        ("empty.csv", "1,2,3,4\n1,,3,4\n", &["line 2, column 2: `` is a missing value, the only one"]),
        ("nan.txt", "1 2\n1 nan\n", &["line 2, column 2: `nan` is a missing value"]),
        ("gone.csv", "?,?\n1,2\n", &["line 1, column 1: `?` is a missing value, one of 2"]),
        ("trailing.csv", "1,2,\n3,4,\n", &["line 1, column 3", "missing", "--columns 1-2"]),
        ("comma.csv", "a;b\n1,5;2\n", &["line 2, column 1 (`a`): `1,5` has a decimal comma: use `1.5`"]),
        ("first.csv", "1,5;2,5\n", &["line 1, column 1: `1,5` has a decimal comma"]),
        ("fortran.txt", "1.0D+02 2.0D+00\n", &["line 1, column 1", "Fortran", "`1.0E+02`"]),
        ("infinite.txt", "1 2\n3 1e999\n", &["line 2, column 2", "`1e999` is not finite"]),
        ("several.txt", "1 2,3\n", &["line 1, column 1", "--delimiter space"]),
        ("ragged.txt", "1 2\n3\n", &["line 2 has 1 values, but earlier lines have 2"]),
        ("heading.csv", "a,b,c\n1,2\n", &["line 2 has 2 values, but the header has 3 names"]),
        ("only.csv", "a,b\n", &["no line of numbers"]),
        ("comments.txt", "# a\n\n", &["no line of numbers"]),
        ("open.csv", "a,b\n1,\"2\n3,4\n", &["line 2: a quote (\") is not closed"]),
    ] {
        folder.write(name, text);
        refused(&folder, &format!("pca 4-3 --data {name} -q -o w.npz"), &[&[name], words].concat());
    }
    for (options, words) in [
        ("--columns 5-6", &["--columns", "column 6: the data has only 5"][..]),
        ("--columns 1,1", &["--columns", "column 1 is chosen twice"]),
        ("--columns knd", &["`knd`", "did you mean `kind`?"]),
        ("--columns 0", &["--columns", "counted from 1"]),
        ("--columns 3-2", &["--columns", "`3-2`"]),
        ("--columns 1,", &["--columns", "missing"]),
        ("--delimiter ab", &["--delimiter", "`tab`"]),
        ("--data-tensor x", &["--data-tensor", "text"]),
    ] {
        refused(&folder, &format!("pca 4-3 --data label.csv {options} -q -o w.npz"), words);
    }
    folder.done("init normal 9x4 -q -o x.npy");
    refused(&folder, "pca 4-3 --data x.npy --columns 1-2 -q -o w.npz", &["x.npy", "--columns"]);
    folder.write("unnamed.csv", "1,2\n3,4\n");
    refused(&folder, "pca 2-2 --data unnamed.csv --columns a -q -o w.npz", &["no header", "by number"]);
}

#[test]
fn a_line_without_an_end_is_refused_before_it_grows() {
    let folder = Folder::new();
    if !Path::new(TIME).exists() {
        return skipped("the memory of long lines: no GNU time");
    }
    let mut long = String::from("1,2\n");
    (0..30_000_000).for_each(|n| long.push_str(["1,", "23"][n % 2]));
    let mut quoted = String::from("1,\"2\n");
    (0..4_000_000).for_each(|n| writeln!(quoted, "{n}").unwrap());
    for (name, text) in [("long.csv", long), ("quoted.csv", quoted), ("blanks.txt", " ".repeat(50_000_000))] {
        folder.write(name, text);
        let line = format!("-q -f %M -o peak {FANIN} pretrain pca 2-2 --data {name} --max-memory 64MiB -q -o w.npz");
        let ended = Ended::of(folder.command(TIME).args(line.split(' ')));
        assert!(ended.is_refusal() && ended.stderr.contains("open quote"), "{name}: {ended:?}");
        let peak = peak_memory(&folder.join("peak"));
        assert!(peak < 96 << 20, "{name} took {peak} bytes");
    }
}

#[test]
fn a_number_scales_all_values_and_verify_learns_again() {
    let folder = Folder::new();
    let pixels = |divisor: f64| {
        let pixel = |at: u32| f64::from(at.wrapping_mul(2_654_435_761) >> 24) / divisor;
        let row = |n: u32| (0..6).map(|at| format!("{:?}", pixel(n * 6 + at))).collect::<Vec<_>>().join(",");
        (0..80).map(|n| row(n) + "\n").collect::<String>()
    };
    folder.write("bytes.csv", pixels(1.0));
    folder.write("ready.csv", pixels(255.0));
    for method in ["rbm 6-4 --epochs 2", "dae 6-4 --epochs 2", "pca 6-4", "kmeans 6-4", "lsuv 6-4", "weight-norm 6-4"] {
        let learn = |data: &str| folder.done(&format!("pretrain {method} --data {data} -q --force -o w.raw"));
        learn("ready.csv");
        let ready = folder.read("w.raw");
        learn("bytes.csv --scale 255");
        assert!(folder.read("w.raw") == ready, "{method}");
        folder.done("verify w.raw --data bytes.csv");
    }
    refused(&folder, "rbm 6-4 --data bytes.csv -q -o w.npz", &["holds 2", "--scale 255"]);
    refused(&folder, "rbm 6-4 --data bytes.csv --scale 0 -q -o w.npz", &["scale is 0"]);
    refused(&folder, "rbm 6-4 --data bytes.csv --scale -1 -q -o w.npz", &["scale is -1"]);
    refused(&folder, "rbm 6-4 --data bytes.csv --scale min -q -o w.npz", &["`min`", "minmax", "number"]);
}
