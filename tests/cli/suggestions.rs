//! Suggestions for mistyped options and commands.

use crate::common::{Ended, Folder};

#[test]
fn only_a_near_option_or_command_is_suggested() {
    let folder = Folder::new();
    for (line, message) in [
        ("init normal 3 --slce a=1", "unknown option `--slce`; did you mean `--slice`?"),
        ("init normal 3 --fanin 3", "unknown option `--fanin`; did you mean `--fan-in`?"),
        ("mlp 3-2 --last zeros", "unknown option `--last`"),
        ("mlp 3-2 --name fc", "unknown option `--name`"),
        ("verify w.npz --by b", "unknown option `--by`"),
        ("verfy w.npz", "unknown command `verfy`; did you mean `verify`?"),
        ("zzz", "unknown command `zzz`"),
        ("init normal 3 --zzz", "unknown option `--zzz`"),
    ] {
        let ended = Ended::of(&mut folder.fanin(line));
        assert!(ended.is_refusal() && ended.error().ends_with(message), "{line}: {}", ended.stderr);
    }
}
