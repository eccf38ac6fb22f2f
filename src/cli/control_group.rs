//! The memory that the control groups (cgroups) of this process leave. A group is also limited by its ancestors.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The files of a hierarchy with a group's limit and usage, and the key of reclaimable memory in `memory.stat`.
struct Version {
    limits: &'static [&'static str],
    taken: &'static str,
    freeable: &'static str,
}

const V2: Version =
    Version { limits: &["memory.max", "memory.high"], taken: "memory.current", freeable: "inactive_file" };
const V1: Version =
    Version { limits: &["memory.limit_in_bytes"], taken: "memory.usage_in_bytes", freeable: "total_inactive_file" };

/// The minimum memory left by any group of this process, in bytes; `None` without limits.
pub(super) fn free() -> Option<u64> {
    let read = |path| fs::read_to_string(path).ok();
    free_in(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?)
}

/// As [`free`], from the text of `/proc/self/cgroup` and `/proc/self/mountinfo`.
fn free_in(groups: &str, mounts: &str) -> Option<u64> {
    let mut least = None;
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (fields.next(), fields.next()) else { continue };
        let version = match controllers {
            "" => &V2,
            _ if controllers.split(',').any(|controller| controller == "memory") => &V1,
            _ => continue,
        };
        let folders = mounts.lines().filter_map(|line| folders(line, version, group)).flatten();
        least = folders.filter_map(|folder| version.free(&folder)).chain(least).min();
    }
    least
}

/// The folders of a group and its ancestors, if a line of `mountinfo` belongs to their hierarchy.
fn folders(line: &str, version: &Version, group: &str) -> Option<Vec<PathBuf>> {
    let (mount, system) = line.split_once(" - ")?;
    let kind = system.split(' ').next()?;
    let of_memory = || system.rsplit(' ').next().is_some_and(|options| options.split(',').any(|word| word == "memory"));
    if kind != version.kind() || (kind == V1.kind() && !of_memory()) {
        return None;
    }
    let mut fields = mount.split(' ').skip(3);
    let (root, point) = (fields.next()?, Path::new(fields.next()?));
    // A container may see only its own group, at the root of its hierarchy.
    let inside = Path::new(group).strip_prefix(root).ok();
    let inside = inside.filter(|path| path.components().all(|part| matches!(part, Component::Normal(_))));
    let own = point.join(inside.unwrap_or(Path::new("")));
    Some(own.ancestors().take_while(|folder| folder.starts_with(point)).map(Path::to_path_buf).collect())
}

impl Version {
    fn kind(&self) -> &'static str {
        if self.taken == V2.taken { "cgroup2" } else { "cgroup" }
    }

    /// The memory left by a group, in bytes; `None` without a limit. `max` means no limit.
    fn free(&self, folder: &Path) -> Option<u64> {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let number = |name: &&str| read(name)?.trim().parse::<u64>().ok();
        let limit = self.limits.iter().filter_map(number).min()?;
        let stat = read("memory.stat").unwrap_or_default();
        let freeable = stat.lines().find_map(|line| line.strip_prefix(self.freeable)?.trim().parse::<u64>().ok());
        let taken = number(&self.taken).unwrap_or(0).saturating_sub(freeable.unwrap_or(0));
        Some(limit.saturating_sub(taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test hierarchy of files under a folder that is removed on drop.
    struct Hierarchy(PathBuf);

    impl Hierarchy {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let folder = std::env::temp_dir().join(format!("fanin-groups-{}-{name}", std::process::id()));
            for (path, content) in files {
                let path = folder.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, content).unwrap();
            }
            Self(folder)
        }

        fn mount(&self, root: &str, system: &str) -> String {
            format!("30 23 0:26 {root} {} rw,nosuid shared:9 - {system}\n", self.0.display())
        }
    }

    impl Drop for Hierarchy {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn the_least_limit_of_all_groups_around_counts() {
        let files = [
            ("a/memory.max", "1000\n"),
            ("a/memory.current", "300\n"),
            ("a/memory.stat", "anon 200\ninactive_file 100\n"),
            ("a/b/memory.max", "max\n"),
            ("a/b/memory.high", "5000\n"),
            ("a/b/c/memory.max", "9000\n"),
            ("other/memory.max", "1\n"),
        ];
        let held = Hierarchy::new("v2", &files);
        let mounts = held.mount("/", "cgroup2 cgroup2 rw,nsdelegate");
        assert_eq!(free_in("0::/a/b/c\n", &mounts), Some(800));
        assert_eq!(free_in("0::/\n", &mounts), None);
        fs::write(held.0.join("a/b/memory.high"), "500\n").unwrap();
        assert_eq!(free_in("0::/a/b/c\n", &mounts), Some(500));
        // A group that has gone, and one outside of what is seen.
        assert_eq!(free_in("0::/a/b/gone/further\n", &mounts), Some(500));
        assert_eq!(free_in("0::/../a\n", &mounts), None);
    }

    #[test]
    fn the_first_version_and_mixed_ones_are_known() {
        let files = [
            ("memory.limit_in_bytes", "9223372036854771712\n"),
            ("jobs/memory.limit_in_bytes", "700\n"),
            ("jobs/memory.usage_in_bytes", "500\n"),
            ("jobs/memory.stat", "inactive_file 1\ntotal_inactive_file 400\n"),
            ("jobs/7/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        let held = Hierarchy::new("v1", &files);
        let mounts = held.mount("/", "cgroup cgroup rw,memory") + "31 23 0:27 / /nowhere rw - cgroup cgroup rw,cpu\n";
        assert_eq!(free_in("4:memory:/jobs/7\n3:cpu:/x\n0::/\n", &mounts), Some(600));
        assert_eq!(free_in("4:cpu,cpuacct:/jobs/7\n", &mounts), None);
        // In a container the mount shows the group itself.
        let inside = held.mount("/docker/1", "cgroup cgroup rw,memory");
        assert_eq!(free_in("4:memory:/docker/1/jobs/7\n", &inside), Some(600));
        assert_eq!(free_in("4:memory:/docker/2\n", &inside), Some(9_223_372_036_854_771_712));
        assert_eq!(free_in("nonsense\n::\n", "nonsense\n - \n"), None);
    }
}
