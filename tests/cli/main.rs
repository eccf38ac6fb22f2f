//! The command line: a file for each verb, and one for each option or topic that several verbs share.

#[path = "../common/mod.rs"]
mod common;

mod checkpoints;
mod defaults;
mod dry_run;
mod explain;
mod help;
mod init;
mod inspect;
mod integers;
mod json;
mod like;
mod list;
mod mlp;
mod model;
mod modules;
mod moments;
mod newcomer;
mod norms;
mod output;
mod overlap;
mod pictures;
mod pretrain;
mod provenance;
mod recipes;
mod screens;
mod shell;
mod slices;
mod slips;
mod suggestions;
mod templates;
mod verify;
