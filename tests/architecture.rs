//! The rooms of `src/` know only those above them in the table of `docs/design.md`, so that nothing points back.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of the table in `docs/design.md`, from the ground up.
fn rooms() -> Vec<String> {
    let page = fs::read_to_string("docs/design.md").unwrap();
    let table = page.split("## The rooms").nth(1).unwrap().split("\n## ").next().unwrap();
    let paths = table.lines().filter_map(|line| line.strip_prefix("| `src/")?.split('`').next());
    paths.map(|path| path.trim_end_matches('/').trim_end_matches(".rs").to_string()).collect()
}

/// Every source file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// The room of a file of `src/`.
fn room_of(path: &Path) -> String {
    let first = path.strip_prefix("src").unwrap().components().next().unwrap();
    first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_string()
}

/// The rooms that a program text names by `crate::`, without its comments and without the tests at its end.
fn named(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let code: Vec<&str> = text.lines().map(|line| line.split("//").next().unwrap()).collect();
    let code = code.join("\n");
    let mut rooms = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => rooms.extend(heads(group)),
            None => rooms.extend(word(rest)),
        }
    }
    rooms
}

/// The first words of the members of a group such as `scheme, text::{cut, escape}}`.
fn heads(group: &str) -> Vec<String> {
    let (mut heads, mut depth, mut is_head) = (Vec::new(), 1, true);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => is_head = true,
            _ if is_head && depth == 1 && character.is_alphabetic() => {
                heads.extend(word(&group[at..]));
                is_head = false;
            }
            _ => {}
        }
    }
    heads
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_string())
}

/// The imports of a text of that room that point to a room below it in the table.
fn faults(rooms: &[String], room: &str, text: &str) -> Vec<String> {
    let place = |name: &str| rooms.iter().position(|room| room == name);
    let own = place(room);
    named(text).into_iter().filter(|other| place(other) > own).collect()
}

#[test]
fn a_room_knows_only_those_above_it() {
    let rooms = rooms();
    let mut wrong = Vec::new();
    for path in sources(Path::new("src")) {
        let room = room_of(&path);
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        assert!(rooms.contains(&room), "docs/design.md has no room `{room}` for {}", path.display());
        for other in faults(&rooms, &room, &fs::read_to_string(&path).unwrap()) {
            wrong.push(format!("{} imports from `{other}`, which stands below `{room}`", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_room_of_the_page_is_there() {
    for room in rooms() {
        let found = [format!("src/{room}"), format!("src/{room}.rs")].iter().any(|path| Path::new(path).exists());
        assert!(found, "docs/design.md names a room `{room}`");
    }
}

#[test]
fn an_import_that_points_back_is_found() {
    let rooms: Vec<String> = ["text", "tensor", "scheme", "plan"].map(Into::into).into();
    let back = |text| faults(&rooms, "scheme", text);
    assert_eq!(back("use crate::plan::Plan;"), ["plan"]);
    assert_eq!(back("use crate::{plan, text};"), ["plan"]);
    assert_eq!(back("use crate::{text::{cut, escape}, plan::{self, Plan}};"), ["plan"]);
    assert_eq!(back("fn f() {\n    let _ = crate::plan::Plan::nothing();\n}"), ["plan"]);
    assert!(back("use crate::tensor::Shape; // crate::plan\n/// [`crate::plan::Plan`]\nfn f() {}").is_empty());
    assert!(back("fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::plan::Plan;\n}").is_empty());
}
