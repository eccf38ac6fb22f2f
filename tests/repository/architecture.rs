//! The code of `src/` has the order that the section "The rooms" of `docs/design.md` gives: no room knows one below it, no front end knows
//! another, no circle of imports is new, and a format is named in its own file alone. `scripts/house` prints the circles by the same rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The circles of imports inside a room: files, and the reason.
const CIRCLES: &[(&[&str], &str)] = &[];

/// Files that name a format outside the files of that format, and the reason.
const FORMAT_NAMES: &[(&str, &str, &str)] = &[
    ("model/document", "json", "an extension of a configuration, not a format of tensors"),
    ("model/library", "json", "the extension of the facts of configurations"),
    ("format/safetensors", "pt", "the word for PyTorch in the metadata of a header"),
];

/// The name of a module from the root of the crate, such as `scheme`, `scaled`.
type Name = Vec<String>;

type Graph = BTreeMap<Name, BTreeSet<Name>>;

struct Module {
    file: String,
    name: Name,
    children: BTreeSet<String>,
    /// What the `use` lines name, by the word that they give it.
    imports: Vec<(Name, String)>,
    /// Paths in the code itself.
    inline: Vec<Name>,
}

/// A text without its tests module and its comments.
fn code_of(text: &str) -> String {
    let tests = text.match_indices("#[cfg(test)]\nmod ").find(|(at, opening)| {
        let line = text[at + opening.len()..].lines().next();
        line.is_some_and(|line| line.ends_with('{'))
    });
    let text = tests.map_or(text, |(at, _)| &text[..at]);
    text.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// A line without its visibility.
fn declared(line: &str) -> &str {
    let line = line.trim_start();
    let Some(rest) = line.strip_prefix("pub") else { return line };
    let rest = if rest.starts_with('(') { rest.split_once(')').map_or(rest, |(_, rest)| rest) } else { rest };
    rest.trim_start()
}

/// The paths of a tree such as `a::{b, c::{self, d as e}}`, each with the word that it gives.
fn members(prefix: &str, tree: &str) -> Vec<(Name, String)> {
    let tree = tree.trim();
    if let Some((head, rest)) = tree.split_once('{') {
        let body = &rest[..rest.rfind('}').unwrap()];
        let (mut depth, mut start, mut found) = (0, 0, Vec::new());
        for (at, letter) in body.char_indices().chain([(body.len(), ',')]) {
            match letter {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.extend(members(&format!("{prefix}{}", head.trim()), &body[start..at]));
                    start = at + 1;
                }
                _ => {}
            }
        }
        return found;
    }
    if tree.is_empty() {
        return Vec::new();
    }
    let (path, alias) =
        tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim().to_string())));
    let mut name: Name = format!("{prefix}{path}").split("::").map(|part| part.trim().to_string()).collect();
    if name.len() > 1 && name.last().is_some_and(|last| last == "self") {
        name.pop();
    }
    let word = alias.unwrap_or_else(|| name.last().unwrap().clone());
    vec![(name, word)]
}

/// The paths of two words or more in a text, such as `plan::Plan`.
fn paths(text: &str) -> Vec<Name> {
    let runs = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':');
    let paths = runs.filter(|run| run.starts_with(|letter: char| letter.is_lowercase()) && run.contains("::"));
    paths
        .map(|run| run.trim_end_matches(':').split("::").map(Into::into).collect::<Name>())
        .filter(|path| path.len() > 1)
        .collect()
}

impl Module {
    /// A module of the file of that name below `src/`, without its extension.
    fn new(file: &str, text: &str) -> Self {
        let code = code_of(text);
        let (mut children, mut imports, mut body, mut tree) =
            (BTreeSet::new(), Vec::new(), String::new(), None::<String>);
        for line in code.lines() {
            let item = declared(line);
            if tree.is_none() && item.starts_with("use ") {
                tree = Some(String::new());
            }
            if let Some(mut gathered) = tree.take() {
                gathered = format!("{gathered} {}", item.trim_start_matches("use "));
                match gathered.split_once(';') {
                    Some((whole, _)) => imports.extend(members("", whole)),
                    None => tree = Some(gathered),
                }
            } else if let Some(child) = item.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
                children.insert(child.to_string());
            } else {
                body.push_str(line);
                body.push('\n');
            }
        }
        let name = file.split('/').filter(|part| *part != "mod").map(Into::into).collect();
        Self { file: file.into(), name, children, imports, inline: paths(&body) }
    }

    /// A path from the root of the crate; `None` if it belongs to another crate.
    fn absolute(&self, path: &[String]) -> Option<Name> {
        let above = path.iter().take_while(|part| *part == "super").count();
        match path[0].as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&self.name[..], &path[1..]].concat()),
            "super" => Some([&self.name[..self.name.len().saturating_sub(above)], &path[above..]].concat()),
            first if self.children.contains(first) => Some([&self.name[..], path].concat()),
            _ => None,
        }
    }

    /// What a word is imported as, from the root of the crate.
    fn imported(&self, word: &str) -> Option<Name> {
        let (path, _) = self.imports.iter().find(|(_, name)| name == word)?;
        self.absolute(path)
    }

    /// Everything of this crate that the module names, from the root.
    fn named(&self) -> Vec<Name> {
        let imports = self.imports.iter().filter_map(|(path, _)| self.absolute(path));
        let inline = self.inline.iter().filter_map(|path| match self.imported(&path[0]) {
            Some(prefix) => Some([&prefix, &path[1..]].concat()),
            None => self.absolute(path),
        });
        imports.chain(inline).collect()
    }
}

/// The modules of pairs of a file and its text.
fn modules<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<Name, Module> {
    let modules = files.into_iter().map(|(file, text)| Module::new(file, text));
    modules.map(|module| (module.name.clone(), module)).collect()
}

/// The module that defines what a path names, through imports that pass it on; `None` for a path of a module.
fn definer(modules: &BTreeMap<Name, Module>, path: &[String], passes: usize) -> Option<Name> {
    let known = (0..=path.len()).rev().find(|&length| length == 0 || modules.contains_key(&path[..length]))?;
    let item = path.get(known)?;
    let passed_on = modules.get(&path[..known]).and_then(|module| module.imported(item));
    match passed_on {
        Some(origin) if passes > 0 => definer(modules, &[&origin, &path[known + 1..]].concat(), passes - 1),
        _ => Some(path[..known].to_vec()),
    }
}

/// The modules that each module imports from.
fn arrows(modules: &BTreeMap<Name, Module>) -> Graph {
    let of = |module: &Module| {
        let others = module.named().into_iter().filter_map(|path| definer(modules, &path, 8));
        others.filter(|other| !other.is_empty() && *other != module.name).collect()
    };
    modules.iter().map(|(name, module)| (name.clone(), of(module))).collect()
}

/// Sets of modules that reach one another. In a set that lies below one of its modules, that module may import from the
/// others: it declares them, passes their items on and picks one of them.
fn circles(graph: &Graph) -> Vec<BTreeSet<Name>> {
    let reached: Graph = graph.keys().map(|start| (start.clone(), reach(graph, start))).collect();
    let together = |one: &Name| reached[one].iter().filter(|other| reached[*other].contains(one)).cloned().collect();
    let sets: BTreeSet<BTreeSet<Name>> =
        graph.keys().filter(|one| reached[*one].contains(*one)).map(together).collect();
    let mut found = Vec::new();
    for set in sets {
        match set.iter().find(|top| set.iter().all(|other| other.starts_with(top))) {
            None => found.push(set),
            Some(top) => {
                let below = |one: &Name| if one == top { BTreeSet::new() } else { &graph[one] & &set };
                found.extend(circles(&set.iter().map(|one| (one.clone(), below(one))).collect()));
            }
        }
    }
    found
}

fn reach(graph: &Graph, start: &Name) -> BTreeSet<Name> {
    let (mut seen, mut waiting) = (BTreeSet::new(), vec![start.clone()]);
    while let Some(one) = waiting.pop() {
        let others = graph.get(&one).into_iter().flatten();
        waiting.extend(others.filter(|other| seen.insert((*other).clone())).cloned());
    }
    seen
}

/// The circles of a program, each as its files below `src/`, without their extension.
fn circles_of(modules: &BTreeMap<Name, Module>) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    for circle in circles(&arrows(modules)) {
        let mut files: Vec<String> = circle.iter().map(|name| modules[name].file.clone()).collect();
        files.sort();
        found.insert(files);
    }
    found
}

/// The imports of modules that point to a room below their own in the list of rooms.
fn imports_from_below(rooms: &[String], modules: &BTreeMap<Name, Module>) -> Vec<String> {
    let place = |name: &Name| rooms.iter().position(|room| Some(room) == name.first());
    let mut wrong = BTreeSet::new();
    for module in modules.values() {
        for path in module.named() {
            if place(&path) > place(&module.name) {
                wrong.insert(format!("src/{}.rs imports from `{}`, which stands below it", module.file, path[0]));
            }
        }
    }
    wrong.into_iter().collect()
}

/// The imports of one front end from another.
fn imports_between(front_ends: &[String], modules: &BTreeMap<Name, Module>) -> Vec<String> {
    let mut wrong = BTreeSet::new();
    for module in modules.values().filter(|module| front_ends.contains(&module.name[0])) {
        for path in module.named() {
            if path[0] != module.name[0] && front_ends.contains(&path[0]) {
                wrong.insert(format!("src/{}.rs imports from `{}`, another front end", module.file, path[0]));
            }
        }
    }
    wrong.into_iter().collect()
}

/// The formats that a text names, by a string or by the constant of its file, outside attributes.
fn formats_named<'a>(formats: &'a [String], text: &str) -> BTreeSet<&'a str> {
    let code = code_of(text);
    let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("#[")).collect();
    let named = |format: &&String| {
        let names = [format!("\"{format}\""), format!("{format}::FORMAT.name")];
        lines.iter().any(|line| names.iter().any(|name| line.contains(name)))
    };
    formats.iter().filter(named).map(String::as_str).collect()
}

/// True for a file of a format: `reader/npz`, or a file of a folder of that name.
fn is_of_format(file: &str, format: &str) -> bool {
    let mut parts = file.split('/');
    parts.next().is_some_and(|room| room == "format") && parts.next() == Some(format)
}

/// The rooms in the order of the table in `docs/design.md`, from the ground up, and their contents.
fn table_of_rooms() -> Vec<(String, String)> {
    let page = fs::read_to_string("docs/design.md").unwrap();
    let table = page.split("## The rooms").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `src/")?.split_once("` | "));
    rows.map(|(path, content)| (path.trim_end_matches('/').trim_end_matches(".rs").into(), content.into())).collect()
}

fn rooms() -> Vec<String> {
    table_of_rooms().into_iter().map(|(room, _)| room).collect()
}

/// The rooms that the table calls front ends.
fn front_ends() -> Vec<String> {
    let rows = table_of_rooms().into_iter().filter(|(_, content)| content.starts_with("front end"));
    rows.map(|(room, _)| room).collect()
}

/// Every source file of a folder below `src/` without its extension, and its text; files of tests are left out.
fn sources(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            let file = path.strip_prefix("src").unwrap().with_extension("");
            found.push((file.to_str().unwrap().into(), fs::read_to_string(&path).unwrap()));
        }
    }
    found.retain(|(file, _)| !["lib", "main"].contains(&file.as_str()));
    found
}

fn program() -> BTreeMap<Name, Module> {
    let sources = sources(Path::new("src"));
    modules(sources.iter().map(|(file, text)| (file.as_str(), text.as_str())))
}

#[test]
fn a_room_knows_only_those_above_it() {
    let (rooms, program) = (rooms(), program());
    for module in program.values() {
        assert!(rooms.contains(&module.name[0]), "docs/design.md has no room for src/{}.rs", module.file);
    }
    let wrong = imports_from_below(&rooms, &program);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_front_end_knows_another() {
    let front_ends = front_ends();
    assert_eq!(front_ends, ["model", "pretrain", "inspect", "verify"], "docs/design.md");
    let wrong = imports_between(&front_ends, &program());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_import_from_another_front_end_is_found() {
    let front_ends: Vec<String> = ["inspect", "verify"].map(Into::into).into();
    let found = |file, text| imports_between(&front_ends, &modules([(file, text)])).len();
    assert_eq!(found("verify/sample", "use crate::inspect::Summary;"), 1);
    assert_eq!(found("inspect", "fn f() {\n    crate::verify::compare()\n}"), 1);
    assert_eq!(found("verify/sample", "use super::inspect::Summary;\nuse crate::statistics::summary::Summary;"), 0);
    assert_eq!(found("cli/verify", "use crate::{inspect, verify};"), 0);
}

#[test]
fn every_room_of_the_page_is_there() {
    for room in rooms() {
        let found = [format!("src/{room}"), format!("src/{room}.rs")].iter().any(|path| Path::new(path).exists());
        assert!(found, "docs/design.md names a room `{room}`");
    }
}

#[test]
fn every_circle_of_imports_is_listed() {
    let found = circles_of(&program());
    let listed: BTreeSet<Vec<String>> =
        CIRCLES.iter().map(|(files, _)| files.iter().map(ToString::to_string).collect()).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "new circles: {new:#?}\nlisted circles that are gone: {gone:#?}");
    let is_in_one_room =
        |files: &&[&str]| files.iter().all(|file| file.split('/').next() == files[0].split('/').next());
    assert!(CIRCLES.iter().map(|(files, _)| *files).all(|files| is_in_one_room(&files)));
}

#[test]
fn a_format_is_named_in_its_own_file_alone() {
    let listing = Command::new(env!("CARGO_BIN_EXE_fanin")).args(["list", "formats"]).output().unwrap().stdout;
    let listing = String::from_utf8(listing).unwrap();
    let formats: Vec<String> = listing.lines().map(|line| line.split(' ').next().unwrap().to_string()).collect();
    assert!(formats.contains(&"npy".to_string()), "{formats:?}");
    let mut found = BTreeSet::new();
    for (file, text) in sources(Path::new("src")) {
        let elsewhere = formats_named(&formats, &text).into_iter().filter(|format| !is_of_format(&file, format));
        found.extend(elsewhere.map(|format| format!("{file}: {format}")));
    }
    let listed: BTreeSet<String> = FORMAT_NAMES.iter().map(|(file, format, _)| format!("{file}: {format}")).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(new.is_empty() && gone.is_empty(), "new names of formats: {new:#?}\nlisted ones that are gone: {gone:#?}");
}

#[test]
fn an_import_that_points_back_is_found() {
    let rooms: Vec<String> = ["text", "tensor", "scheme", "plan"].map(Into::into).into();
    let is_back = |text| !imports_from_below(&rooms, &modules([("scheme/mod", text)])).is_empty();
    assert!(is_back("use crate::plan::Plan;"));
    assert!(is_back("use crate::{plan, text};"));
    assert!(is_back("use super::plan::Plan;"));
    assert!(is_back("use crate::{text::{cut, escape}, plan::{self, Plan}};"));
    assert!(is_back("use crate::{\n    text,\n    plan::Plan,\n};"));
    assert!(is_back("fn f() {\n    let _ = crate::plan::Plan::nothing();\n}"));
    assert!(!is_back("use crate::tensor::Shape; // crate::plan\n/// [`crate::plan::Plan`]\nfn f() {}"));
    assert!(!is_back("fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::plan::Plan;\n}"));
    assert!(is_back("#[cfg(test)]\nmod tests;\nuse crate::plan::Plan;"));
}

#[test]
fn a_circle_of_imports_is_found() {
    let found = |files: &[(&'static str, &'static str)]| circles_of(&modules(files.iter().copied()));
    let circle = |files: &[&str]| BTreeSet::from([files.iter().map(ToString::to_string).collect::<Vec<String>>()]);
    let two = circle(&["room/a", "room/b"]);
    assert_eq!(found(&[("room/a", "use super::b::B;"), ("room/b", "use super::a::A;")]), two);
    assert_eq!(found(&[("room/a", "use super::b;\nfn f() { b::g() }"), ("room/b", "use crate::room::a::A;")]), two);
    assert_eq!(found(&[("room/a", "use super::b::B as C;"), ("room/b", "fn f() { super::a::g() }")]), two);
    // A name that the parent passes on belongs to the file that defines it.
    let parent = ("room/mod", "mod a;\nmod b;\npub use a::A;\npub(crate) use self::b::B;");
    assert_eq!(found(&[parent, ("room/a", "use super::B;"), ("room/b", "use super::A;")]), two);
    assert!(found(&[parent, ("room/a", "use super::B;"), ("room/b", "")]).is_empty());
    // A parent may use its children, which use what it defines.
    let parent = ("room/mod", "mod a;\nmod b;\npub trait T {}\nfn f() { a::g(); b::g() }");
    assert!(found(&[parent, ("room/a", "use super::T;"), ("room/b", "use super::{T, a::A};")]).is_empty());
    // Not if the circle leaves the parent, or goes on without it.
    let outside = found(&[parent, ("room/a", "use crate::other::O;"), ("other", "use crate::room::T;")]);
    assert_eq!(outside, circle(&["other", "room/a", "room/mod"]));
    assert_eq!(found(&[parent, ("room/a", "use super::{T, b::B};"), ("room/b", "use super::{T, a::A};")]), two);
}

#[test]
fn the_name_of_a_format_is_found() {
    let formats: Vec<String> = ["npy", "npz"].map(Into::into).into();
    for text in [
        "if contents.format == \"npz\" {",
        "Some(\"npz\") => 1,",
        "[\"npz\", x].contains(&format)",
        "name == npz::FORMAT.name",
    ] {
        assert_eq!(formats_named(&formats, text), BTreeSet::from(["npz"]), "{text}");
    }
    for text in [
        "// \"npz\"",
        "#[arg(long, conflicts_with = \"npz\")]",
        "\"an .npz file\"",
        "#[cfg(test)]\nmod tests {\n\"npz\"",
    ] {
        assert!(formats_named(&formats, text).is_empty(), "{text}");
    }
    assert!(is_of_format("format/npz", "npz") && is_of_format("format/pt/zip", "pt"));
    assert!(!is_of_format("format/npy", "npz") && !is_of_format("cli/npz", "npz"));
}
