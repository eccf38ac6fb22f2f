//! Rank of this process among those that write a checkpoint: given, or read from a launcher's environment.

use std::ffi::OsString;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

/// Value of `--rank`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankOption {
    /// Rank, from 0.
    Number(u64),
    /// Read the rank from the environment.
    Auto,
}

/// One of the processes that write a checkpoint together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Rank, from 0.
    pub number: u64,
    /// Number of processes.
    pub world: u64,
    /// Names of the options or variables that gave both numbers, for reports.
    pub rule: String,
}

/// Variables that a launcher sets for each process.
struct Rule {
    launcher: &'static str,
    rank: &'static str,
    world: &'static str,
}

const SRUN: Rule = Rule { launcher: "srun", rank: "SLURM_PROCID", world: "SLURM_NTASKS" };
const OTHERS: &[Rule] = &[
    Rule { launcher: "torchrun", rank: "RANK", world: "WORLD_SIZE" },
    Rule { launcher: "Open MPI", rank: "OMPI_COMM_WORLD_RANK", world: "OMPI_COMM_WORLD_SIZE" },
    Rule { launcher: "MPICH", rank: "PMI_RANK", world: "PMI_SIZE" },
];

/// Variables of a Slurm array: task, first task, last task, number of tasks.
const ARRAY: [&str; 4] =
    ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX", "SLURM_ARRAY_TASK_COUNT"];
/// Variable of a Kubernetes Indexed Job, which does not give the number of processes.
const INDEXED_JOB: &str = "JOB_COMPLETION_INDEX";

impl FromStr for RankOption {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => number(text).map(Self::Number).ok_or_else(|| "use a whole number from 0, or `auto`".into()),
        }
    }
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Rank {
    /// Resolves the option. `variable` looks up an environment variable.
    pub fn new(rank: RankOption, world: Option<u64>, variable: &dyn Fn(&str) -> Option<OsString>) -> Result<Self> {
        let found = match rank {
            RankOption::Number(number) => {
                let world = world.context("--rank needs --world-size N")?;
                Self { number, world, rule: "--rank and --world-size".into() }
            }
            RankOption::Auto => Self::from_environment(world, &Environment(variable))?,
        };
        ensure!(found.world > 0, "rank {} of 0: --world-size must be 1 or more", found.number);
        let last = found.world - 1;
        ensure!(found.number <= last, "rank {} of {}: use a rank from 0 to {last}", found.number, found.world);
        Ok(found)
    }

    fn from_environment(world: Option<u64>, environment: &Environment) -> Result<Self> {
        let found = match () {
            () if environment.any(&ARRAY) => Self::from_array(environment)?,
            () if environment.any(&[SRUN.rank, SRUN.world]) => Self::from_pair(environment, &SRUN)?,
            () if environment.any(&[INDEXED_JOB]) => {
                let world = world.with_context(|| {
                    format!("`{INDEXED_JOB}` is set, but not the number of ranks: pass --world-size N")
                })?;
                Self { number: environment.number(INDEXED_JOB)?, world, rule: INDEXED_JOB.into() }
            }
            () => match OTHERS.iter().find(|rule| environment.any(&[rule.rank, rule.world])) {
                Some(rule) => Self::from_pair(environment, rule)?,
                None => bail!(
                    "--rank auto: none of SLURM_ARRAY_TASK_ID, SLURM_PROCID, {INDEXED_JOB}, {} is set: pass --rank I and --world-size N",
                    OTHERS.iter().map(|rule| rule.rank).collect::<Vec<_>>().join(", ")
                ),
            },
        };
        let given = world.unwrap_or(found.world);
        ensure!(given == found.world, "--world-size {given}: {} says {}: omit the option", found.rule, found.world);
        Ok(found)
    }

    fn from_array(environment: &Environment) -> Result<Self> {
        let [task, first, last, count] = ARRAY.map(|name| environment.number(name));
        let (task, first, last, count) = (task?, first?, last?, count?);
        let span = last.checked_sub(first).and_then(|span| span.checked_add(1));
        ensure!(
            span == Some(count),
            "the Slurm array from {first} to {last} has gaps ({count} tasks): submit it as --array=0-{}",
            count.saturating_sub(1)
        );
        let number = task.checked_sub(first).filter(|_| task <= last);
        let number = number.with_context(|| format!("`{}` is {task}, not from {first} to {last}", ARRAY[0]))?;
        Ok(Self { number, world: count, rule: format!("Slurm array: {} and {}", ARRAY[0], ARRAY[3]) })
    }

    fn from_pair(environment: &Environment, rule: &Rule) -> Result<Self> {
        let (number, world) = (environment.number(rule.rank)?, environment.number(rule.world)?);
        Ok(Self { number, world, rule: format!("{}: {} and {}", rule.launcher, rule.rank, rule.world) })
    }

    /// True if this rank writes the file with this number. Files are dealt out round robin.
    pub fn owns(&self, file: usize) -> bool {
        file as u64 % self.world == self.number
    }
}

/// Environment variables, injectable for tests.
struct Environment<'a>(&'a dyn Fn(&str) -> Option<OsString>);

impl Environment<'_> {
    fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| (self.0)(name).is_some())
    }

    fn number(&self, name: &str) -> Result<u64> {
        let text = (self.0)(name).with_context(|| {
            format!("--rank auto: `{name}` is not set, but related variables are: pass --rank I and --world-size N")
        })?;
        text.to_str().and_then(number).with_context(|| {
            format!("--rank auto: `{name}` is `{}`, not a whole number", crate::text::cut(&text.to_string_lossy(), 40))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(variables: &[(&str, &str)], world: Option<u64>) -> Result<(u64, u64)> {
        let look = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Rank::new(RankOption::Auto, world, &look).map(|rank| (rank.number, rank.world))
    }

    const fn array<'a>(task: &'a str, first: &'a str, last: &'a str, count: &'a str) -> [(&'a str, &'a str); 4] {
        [(ARRAY[0], task), (ARRAY[1], first), (ARRAY[2], last), (ARRAY[3], count)]
    }

    #[test]
    fn each_launcher_is_understood_and_the_outermost_counts() {
        assert_eq!(auto(&array("5", "3", "6", "4"), None).unwrap(), (2, 4));
        let both = [array("5", "3", "6", "4").as_slice(), &[("SLURM_PROCID", "0"), ("SLURM_NTASKS", "1")]].concat();
        assert_eq!(auto(&both, None).unwrap(), (2, 4));
        let both = [("RANK", "7"), ("WORLD_SIZE", "8"), ("SLURM_PROCID", "1"), ("SLURM_NTASKS", "2")];
        assert_eq!(auto(&both, None).unwrap(), (1, 2));
        assert_eq!(auto(&[(INDEXED_JOB, "3")], Some(4)).unwrap(), (3, 4));
        for rule in OTHERS {
            assert_eq!(auto(&[(rule.rank, "0"), (rule.world, "3")], Some(3)).unwrap(), (0, 3));
        }
    }

    #[test]
    fn what_does_not_fit_together_is_refused_by_name() {
        let refused = |variables: &[(&str, &str)], world, word: &str| {
            let message = auto(variables, world).unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        };
        refused(&[], None, "SLURM_PROCID");
        refused(&array("2", "0", "6", "4"), None, "gaps");
        refused(&array("9", "0", "3", "4"), None, "not from 0 to 3");
        refused(&array("0", "0", &u64::MAX.to_string(), "0"), None, "gaps");
        refused(&[("SLURM_NTASKS", "4")], None, "SLURM_PROCID");
        refused(&[("RANK", "1")], None, "WORLD_SIZE");
        refused(&[("RANK", "one"), ("WORLD_SIZE", "2")], None, "`one`");
        refused(&[("RANK", ""), ("WORLD_SIZE", "2")], None, "``");
        refused(&[("RANK", "+1"), ("WORLD_SIZE", "2")], None, "`+1`");
        refused(&[("RANK", "2"), ("WORLD_SIZE", "2")], None, "rank 2 of 2");
        refused(&[("RANK", "0"), ("WORLD_SIZE", "0")], None, "rank 0 of 0");
        refused(&[("RANK", "0"), ("WORLD_SIZE", "2")], Some(3), "--world-size 3");
        refused(&[(INDEXED_JOB, "0")], None, "--world-size");
    }

    #[test]
    fn every_file_has_one_owner() {
        for world in 1..9 {
            for file in 0..20 {
                let rank = |number| Rank { number, world, rule: String::new() };
                assert_eq!((0..world).filter(|&number| rank(number).owns(file)).count(), 1);
            }
        }
    }
}
