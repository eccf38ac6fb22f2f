//! Pictures as SVG and PNG: every panel is complete, and nothing overlaps or lies outside.

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;

use flate2::read::ZlibDecoder;
use roxmltree::{Document, Node};
use serde_json::Value;

use crate::common::safetensors::safetensors;
use crate::common::{Ended, Folder};

/// A rectangle by its horizontal and vertical range.
type Box = (Range<f64>, Range<f64>);

fn number(node: Node, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// The area of a text by its size, width and anchor; descents are a fifth of the size.
fn box_of(text: Node) -> Box {
    let (x, y, size) = (number(text, "x"), number(text, "y"), number(text, "font-size"));
    let width = number(text, "textLength");
    let before = match text.attribute("text-anchor") {
        None => 0.0,
        Some("middle") => width / 2.0,
        Some(_) => width,
    };
    match text.attribute("transform") {
        None => (x - before..x - before + width, y - 0.75 * size..y + 0.2 * size),
        Some(_) => (x - 0.75 * size..x + 0.2 * size, y + before - width..y + before),
    }
}

fn overlap(one: &Box, other: &Box) -> bool {
    let meet = |one: &Range<f64>, other: &Range<f64>| one.start < other.end && other.start < one.end;
    meet(&one.0, &other.0) && meet(&one.1, &other.1)
}

/// The corners of a path of absolute M and L, and relative h and v.
fn points(path: &str) -> Vec<(f64, f64)> {
    let mut found = vec![];
    let (mut x, mut y) = (0.0, 0.0);
    for part in path.split_inclusive(|c: char| "MLhvz".contains(c)).collect::<Vec<_>>().windows(2) {
        let word = part[0].chars().last().unwrap();
        let numbers: Vec<f64> = part[1]
            .trim_end_matches(['M', 'L', 'h', 'v', 'z'])
            .split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect();
        match (word, numbers.as_slice()) {
            ('M' | 'L', &[to_x, to_y]) => (x, y) = (to_x, to_y),
            ('h', &[by]) => x += by,
            ('v', &[by]) => y += by,
            ('z', &[]) => {}
            other => panic!("{other:?} in {path}"),
        }
        found.push((x, y));
    }
    found
}

/// Checks a picture and returns the number of its panels with axes.
fn check(svg: &str) -> usize {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let page = (0.0..number(root, "width"), 0.0..number(root, "height"));
    assert_eq!(root.attribute("viewBox").unwrap(), format!("0 0 {} {}", page.0.end, page.1.end));
    let inside = |x: f64, y: f64| (-0.01..=page.0.end + 0.01).contains(&x) && (-0.01..=page.1.end + 0.01).contains(&y);
    let texts: Vec<Node> = root.descendants().filter(|node| node.has_tag_name("text")).collect();
    let boxes: Vec<Box> = texts.iter().map(|text| box_of(*text)).collect();
    for (number, area) in boxes.iter().enumerate() {
        let words = texts[number].text().unwrap_or_default();
        assert!(
            inside(area.0.start, area.1.start) && inside(area.0.end, area.1.end),
            "`{words}` lies outside: {area:?}"
        );
        let other = (number + 1..boxes.len()).find(|&other| overlap(area, &boxes[other]));
        assert!(other.is_none(), "`{words}` overlaps `{:?}`", other.map(|other| texts[other].text()));
    }
    for node in root.descendants() {
        if let Some(path) = node.attribute("d") {
            assert!(points(path).into_iter().all(|(x, y)| inside(x, y)), "outside: {path}");
        }
        if node.has_tag_name("circle") {
            assert!(inside(number(node, "cx"), number(node, "cy")), "{node:?}");
        }
    }
    let heading = texts.iter().find(|text| has_class(**text, "heading")).unwrap();
    assert!(!heading.text().unwrap().is_empty());
    root.descendants().filter(|node| has_class(*node, "panel")).filter(|panel| has_axes(*panel)).count()
}

fn has_class(node: Node, class: &str) -> bool {
    node.attribute("class").is_some_and(|classes| classes.split(' ').any(|own| own == class))
}

/// True if a panel has axes. Those have ticks and labels; every panel has a title.
fn has_axes(panel: Node) -> bool {
    let texts = |node: Node, class: &str| {
        let texts = node.descendants().filter(|node| node.has_tag_name("text") && has_class(*node, class));
        texts.map(|text| text.text().unwrap_or_default().to_string()).collect::<Vec<_>>()
    };
    let title = texts(panel, "title");
    assert!(title.len() == 1 && !title[0].is_empty(), "{title:?}");
    let axes: Vec<Node> =
        panel.children().filter(|node| has_class(*node, "x-axis") || has_class(*node, "y-axis")).collect();
    for axis in &axes {
        let (ticks, labels) = (texts(*axis, "tick"), texts(*axis, "label"));
        assert!(!ticks.is_empty() && labels.len() == 1 && !labels[0].is_empty(), "{title:?}: {ticks:?} {labels:?}");
        let decimals = |tick: &String| tick.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        assert!(ticks.iter().all(|tick| decimals(tick) == decimals(&ticks[0])), "{title:?}: {ticks:?}");
    }
    !axes.is_empty()
}

/// The picture of a command in a file, which must be the same on each run.
fn drawn(folder: &Folder, line: &str, name: &str) -> Vec<u8> {
    let [first, second] = [(); 2].map(|()| {
        folder.done(&format!("{line} --force --plot {name}"));
        folder.read(name)
    });
    assert!(first == second, "{line}: not the same on each run");
    first
}

/// The picture of a command as SVG.
fn picture(folder: &Folder, line: &str) -> String {
    String::from_utf8(drawn(folder, line, "p.svg")).unwrap()
}

#[test]
fn a_png_has_two_pixels_for_each_unit_of_the_svg() {
    let folder = Folder::new();
    folder.done("init normal a=30x20 b=7 -q -o n.npz");
    folder.done("init uniform:low=0,high=1 40x12 -q -o x.npy");
    for line in ["inspect n.npz --spectrum", "pretrain pca 12-6 --data x.npy -q -o w.npz"] {
        let (svg, png) = (picture(&folder, line), drawn(&folder, line, "p.png"));
        assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && png.ends_with(b"IEND\xae\x42\x60\x82"), "{line}");
        let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
        let start = png.windows(4).position(|word| word == b"IDAT").unwrap();
        let mut rows = Vec::new();
        ZlibDecoder::new(&png[start + 4..start + 4 + size(start - 4) as usize]).read_to_end(&mut rows).unwrap();
        let row = 1 + 3 * size(16) as usize;
        assert_eq!(rows.len(), size(20) as usize * row, "{line}");
        let colours: HashSet<&[u8]> = rows.chunks_exact(row).flat_map(|row| row[1..].chunks(3)).collect();
        for code in svg.split("fill=\"#").skip(1).map(|rest| u32::from_str_radix(&rest[..6], 16).unwrap()) {
            assert!(colours.contains(&code.to_be_bytes()[1..]), "{line}: the PNG lacks the colour {code:06x}");
        }
        let document = Document::parse(&svg).unwrap();
        let side = |name| 2.0 * number(document.root_element(), name);
        assert_eq!((f64::from(size(16)), f64::from(size(20))), (side("width"), side("height")), "{line}");
    }
}

#[test]
fn every_picture_of_a_file_is_complete_and_has_no_overlaps() {
    let folder = Folder::new();
    folder.done("init normal a=100x100 b=200x50 c=7 -q -o n.safetensors");
    folder.done("init sparse:density=0.1 100x100 -q -o s.npz");
    folder.done("init orthogonal 32x32 -q -o o.npy");
    folder.done("init zeros z=4x4 e=0x4 -q -o z.npz");
    folder.done("init uniform:low=1000,high=1000.001 --dtype f64 30x3 -q -o far.npy");
    folder.done("init nan 3x3 -q -o nan.npy");
    folder.done("init rademacher 30x30 -q -o coins.npy");
    let long = format!("normal {}=3x3 {}=3x3", "W".repeat(150), "漢字".repeat(30));
    folder.done(&format!("init {long} -q -o long.safetensors"));
    let many: Vec<String> = (0..10).map(|n| format!("h.{n}.w=3x2")).collect();
    folder.done(&format!("init normal {} -q -o many.safetensors", many.join(" ")));
    for (line, panels) in [
        ("n.safetensors", 3),
        ("n.safetensors --spectrum", 5),
        ("s.npz", 1),
        ("o.npy --spectrum", 2),
        ("z.npz --spectrum", 2),
        ("far.npy", 1),
        ("nan.npy", 0),
        ("coins.npy", 1),
        ("long.safetensors --spectrum", 4),
        ("many.safetensors", 10),
        ("n.safetensors s.npz --spectrum", 7),
        ("o.npy far.npy --spectrum", 2),
    ] {
        assert_eq!(check(&picture(&folder, &format!("inspect {line}"))), panels, "{line}");
    }
}

/// The commands of docs/files.md draw it again.
#[test]
fn the_picture_of_the_manual_is_up_to_date() {
    let folder = Folder::new();
    folder.done("init he-normal w=300x200 -q -o he.npz");
    folder.done("init glorot-uniform w=300x200 -q -o glorot.npz");
    let drawn = picture(&folder, "inspect he.npz glorot.npz --spectrum");
    assert_eq!(check(&drawn), 2);
    assert!(
        drawn == std::fs::read_to_string("docs/inspect.svg").unwrap(),
        "docs/inspect.svg differs: draw it by those commands"
    );
}

#[test]
fn every_range_of_values_has_axes() {
    let folder = Folder::new();
    let values = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let ranges: &[[f64; 4]] = &[
        [5e-324, 0.0, 1e-323, 2e-323],
        [-1.7e308, 1.7e308, 0.0, 1.0],
        [1.0, 1.0 + f64::EPSILON, 1.0, 1.0],
        [-1e-7, 1e-7, 3e-8, f64::INFINITY],
        [1e15, 1e15 + 1.0, 1e15 + 2.0, f64::NAN],
        [-3.0, -2.0, -1.0, -2.5],
    ];
    for range in ranges {
        folder.write("w.safetensors", safetensors(&[("w", "F64", vec![2, 2], values(range))]));
        assert_eq!(check(&picture(&folder, "inspect w.safetensors")), 1, "{range:?}");
    }
}

#[test]
fn every_picture_of_a_run_has_its_curves_and_filters() {
    let folder = Folder::new();
    folder.done("init uniform:low=0,high=1 40x12 -q -o x.npy");
    // A panel for each measure and layer; if each layer has one epoch, for each measure. The filters are one more.
    for (method, panels) in [
        ("rbm 12-6 --epochs 2", 2 + 1),
        ("rbm 12-6-4 --epochs 40", 2 * 2 + 1),
        ("rbm 12-6 --epochs 1", 2 + 1),
        ("dae 12-6-4-3 --epochs 3", 3 + 1),
        ("dae 12-6-4 --epochs 3 --loss squared", 2 + 1),
        ("pca 12-6-4", 2 + 1),
        ("pca 12-1", 1 + 1),
        ("kmeans 12-6-4 --epochs 3 --scale standard", 2 + 1),
        ("lsuv 12-6-4", 2 + 1),
        ("weight-norm 12-120", 2 + 1),
    ] {
        let line = format!("pretrain {method} --validation 0.2 --data x.npy -q -o w.npz");
        let svg = picture(&folder, &line);
        assert_eq!(check(&svg), panels, "{method}");
        let title = method.split(" --").next().unwrap();
        assert!(svg.contains(&format!(">{title} trained on x.npy</text>")) && svg.contains("seed 0"), "{method}");
        assert!(svg.contains(">training</text>") && svg.contains(">held out</text>"), "{method}");
    }
}

#[test]
fn a_picture_of_very_many_layers_has_a_hundred_panels_and_says_so() {
    let folder = Folder::new();
    folder.done("init uniform:low=0,high=1 20x2 -q -o x.npy");
    let sizes = vec!["2"; 61].join("-");
    let svg = picture(&folder, &format!("pretrain rbm {sizes} --epochs 2 --data x.npy -q -o w.npz"));
    // Two measures of 60 layers, and the tiles.
    assert_eq!(check(&svg), 100 + 1);
    assert!(svg.contains("100 of 120 panels"), "{svg}");
}

#[test]
fn every_histogram_has_its_expected_density() {
    let folder = Folder::new();
    for scheme in ["orthogonal", "sparse:density=0.5", "rademacher", "truncated-normal", "cauchy"] {
        folder.done(&format!("init {scheme} 32x32 -q --force -o w.npz"));
        assert!(picture(&folder, "inspect w.npz").contains(">expected</text>"), "{scheme}");
    }
}

#[test]
fn zeros_of_a_sparse_tensor_are_set_apart() {
    let folder = Folder::new();
    folder.done("init sparse:density=0.1 w=100x100 -q -o s.npz");
    let svg = picture(&folder, "inspect s.npz");
    assert!(svg.contains("exact zeros</text>") && svg.contains("9,000 exact zeros (90 %), expected 90 %"), "{svg}");
    let report: Value = serde_json::from_slice(&folder.done("inspect s.npz --plot --json")).unwrap();
    let histogram = &report["tensors"][0]["histogram"];
    assert_eq!(histogram["zeros"], 9000);
    let counts: Vec<u64> = serde_json::from_value(histogram["counts"].clone()).unwrap();
    let edges: Vec<f64> = serde_json::from_value(histogram["edges"].clone()).unwrap();
    assert!(counts.iter().sum::<u64>() == 1000 && edges.len() == counts.len() + 1, "{histogram}");
    assert!(String::from_utf8(folder.done("inspect s.npz --plot")).unwrap().contains("without 9,000 exact zeros"));
    // Zeros of whole numbers are values like any other.
    folder.write("i.safetensors", safetensors(&[("i", "I8", vec![4], vec![0, 0, 1, 2])]));
    let report: Value = serde_json::from_slice(&folder.done("inspect i.safetensors --plot --json")).unwrap();
    let histogram = &report["tensors"][0]["histogram"];
    assert!(histogram["zeros"].is_null() && histogram["counts"] == serde_json::json!([2, 1, 1]), "{histogram}");
}

#[test]
fn two_files_are_compared_in_one_picture_and_one_table() {
    let folder = Folder::new();
    folder.done("init normal:std=0.02 w=50x40 only=3x3 -q -o a.npz");
    folder.done("init uniform:low=-0.05,high=0.05 w=50x40 -q -o b.npz");
    let svg = picture(&folder, "inspect a.npz b.npz");
    assert_eq!(check(&svg), 2);
    for words in ["a.npz and b.npz", ">a.npz<", ">b.npz<", "expected of a.npz", "expected of b.npz"] {
        assert!(svg.contains(words), "{words}: {svg}");
    }
    let table = String::from_utf8(folder.done("inspect a.npz b.npz")).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert!(rows.contains(&vec!["w", "a.npz"]) && rows.contains(&vec!["w", "b.npz"]), "{table}");
    let report: Value = serde_json::from_slice(&folder.done("inspect a.npz b.npz --json")).unwrap();
    assert_eq!(report["files"][1]["tensors"][0]["name"], "w", "{report}");
}

#[test]
fn a_file_without_provenance_is_compared_with_a_scheme() {
    let folder = Folder::new();
    folder.write("w.npy", folder.done("init he-normal 300x20 -q --format npy -o -"));
    folder.done("model w.npy --keep * -q -o bare.npz");
    let table = String::from_utf8(folder.done("inspect bare.npz --scheme he-normal")).unwrap();
    assert!(table.contains("0.0816497") && table.contains("he-normal:gain=relu"), "{table}");
    assert!(picture(&folder, "inspect bare.npz --scheme he-normal").contains(">expected<"));
    folder.done("init normal w=30x20 b=20 -q -o two.npz");
    let table = String::from_utf8(folder.done("inspect two.npz --scheme he-normal")).unwrap();
    assert!(table.contains("note: --scheme does not suit every tensor"), "{table}");
    for line in ["bare.npz --scheme nosuch", "two.npz --tensor b --scheme he-normal", "bare.npz --layout torch"] {
        let ended = Ended::of(&mut folder.fanin(&format!("inspect {line}")));
        assert!(ended.is_refusal(), "{line}: {ended:?}");
    }
}

#[test]
fn other_extensions_are_refused_before_any_work() {
    let folder = Folder::new();
    folder.done("init normal 4x4 -q -o w.npy");
    for name in ["p.pdf", "p", "p.jpeg", "p.svgz", "/dev/null"] {
        for line in ["inspect w.npy", "pretrain pca 4-2 --data w.npy -o p.npz"] {
            let ended = Ended::of(&mut folder.fanin(&format!("{line} --plot {name}")));
            let fix = format!("--plot `{name}`: use FILE.svg or FILE.png");
            assert!(ended.is_refusal() && ended.stderr.contains(&fix) && ended.stdout.is_empty(), "{ended:?}");
        }
    }
    assert_eq!(folder.names(), ["w.npy"]);
}
