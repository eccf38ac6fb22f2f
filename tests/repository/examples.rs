//! The examples of the page of recipes do what it says.

use std::path::Path;

use crate::common::Folder;

/// The blocks of a page: the language of each, and its content.
fn fenced(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.into(), content.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn the_examples_of_the_page_do_what_it_says() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes.md")).unwrap();
    let folder = Folder::new();
    let (mut recipes, mut runs) = (0, 0);
    for (language, content) in fenced(&page) {
        match language.split_once(' ') {
            Some((_, file)) => {
                folder.write(file, &content);
                recipes += 1;
            }
            None if language == "console" => {
                // Commands after `$`, each followed by what it prints.
                for run in content.split("$ ").filter(|run| !run.is_empty()) {
                    let (line, printed) = run.split_once('\n').unwrap();
                    let ended = folder.shell(&format!("{} 2>&1", line.replacen("fanin", "$FANIN", 1)));
                    assert_eq!(String::from_utf8_lossy(&ended.stdout), printed, "{line}");
                    runs += 1;
                }
            }
            None => {}
        }
    }
    assert!(recipes >= 5 && runs >= 5, "{recipes} recipes, {runs} runs");
}
