//! Command lines as people write them who know torch, or who know neither torch nor fanin. Each works, or its error names the fix.

use crate::common::Folder;

/// The longest error, in characters. The names in it are short.
const LONGEST: usize = 200;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.done("init normal:std=1 20x3 -o w.npy");
    folder.done("init normal:std=1 a=3x3 b=4 -o two.npz");
    folder
}

/// Lines of a shell that work, each with words of the report.
#[test]
fn lines_in_the_words_of_torch_draw_the_tensors_of_torch() {
    let folder = folder();
    for (line, report) in [
        (
            "init 'torch.nn.init.xavier_uniform_(w, gain=math.sqrt(2))' '(256, 784)' -o a.pt",
            "weight=256x784 f32: glorot-uniform:gain=1.4142135623730951; fan_in 784, fan_out 256",
        ),
        (
            "init nn.init.kaiming_normal_:mode=fan_out,nonlinearity=relu 64x3x7x7 -o b.pt",
            "he-normal:gain=relu,mode=fan-out; fan_in 147, fan_out 3136",
        ),
        (
            r#"init "kaiming_normal_(mode='fan_out', nonlinearity='relu')" [64,3,7,7] --layout pytorch -o c.npy"#,
            "he-normal:gain=relu,mode=fan-out; fan_in 147, fan_out 3136",
        ),
        ("init 'kaiming_uniform_:a=math.sqrt(5)' 256,784 -o d.pt", "gain=leaky-relu,slope=2.23606797749979"),
        ("init trunc_normal_:std=0.02 768x3072 --dtype torch.bfloat16 -o e.pt", "bf16: truncated-normal:std=0.02"),
        ("init orthogonal_:gain=5/3 64x64 --dtype float -o f.pt", "orthogonal:gain=1.6666666666666667"),
        ("init torch.nn.init.normal_:0,0.02 256x784 -o g.pt", "normal:std=0.02,mean=0"),
        ("init nn.init.constant_:val=0.5 bias=256 -o h.pt", "bias=256 f32: constant:value=0.5"),
        ("init torch.nn.Linear 256x784 --like torch --seed 0 -o i.pt", "bias=256 f32: fan-in-uniform; fan_in 784"),
        ("init torch.nn.LSTM:num_layers=2 256x32 --like pytorch --seed 0 -o j.pt", "weight_hh_l1=256x64"),
        ("mlp 784-256-10 --like torch --seed 0 -o k.pt", "2.weight=10x256"),
    ] {
        let ended = folder.shell(&format!("$FANIN {line}"));
        assert!(ended.status == 0 && ended.stderr.contains(report), "{line}: {}", ended.stderr);
    }
}

/// Lines that do not work, each with the fix in its error.
#[test]
fn an_error_names_the_fix_of_a_line_that_a_newcomer_writes() {
    let folder = folder();
    let mut faults = Vec::new();
    for (line, fix) in [
        // Torch's ways of writing.
        ("init torch.randn 3,4", "`randn` alone is a scheme"),
        ("init torch.nn.Linear 784 256", "needs the shape of its weight, out x in, such as 256x784"),
        ("init 'torch.nn.Linear(784, 256)' 256x784", "the shape gives the sizes, as in `torch.nn.Linear 256x784`"),
        ("init torch.nn.init.calculate_gain 3", "use the activation as a gain, as in `orthogonal:gain=tanh`"),
        ("mlp 784,256,10 --like torch", "join sizes by `-`, as in `784-256-10`"),
        ("model bert-base-uncased -o bert/", "did you mean `bert`?"),
        // Words that are missing, unknown or too many.
        ("model", "missing SPEC"),
        ("pretrain rbm 3-2", "missing --data FILE"),
        ("completions", "missing SHELL"),
        ("completions csh", "use bash, elvish, fish, powershell or zsh"),
        ("initialize 3", "did you mean `fanin init 3`?"),
        ("verfy w.npy", "did you mean `verify`?"),
        ("inspect w.npy two.npz w.npy", "unexpected argument `w.npy`: at most two files are compared"),
        ("init he-normal:gian=2 3x3", "did you mean `gain`?"),
        ("init he-normal 3x", "not a shape"),
        ("init he-normal 784", "pass --fan-in N"),
        // Options.
        ("init normal 3 --sed 7", "did you mean `--seed`?"),
        ("init normal 3 -s 7", "use --seed"),
        ("init normal 3 --seed=abc", "use 0 to 2^64-1"),
        ("init normal 3 --seed", "--seed needs a value"),
        ("init normal 3 --format nyp", "did you mean `npy`?"),
        ("init normal 3 --like tourch", "did you mean `torch`?"),
        ("init normal 3 --layout tourch", "did you mean `torch`?"),
        ("init normal 3 --max-memory lots", "as in 8GiB"),
        ("init normal 3 --force --resume -o x.npy", "--force cannot be used with --resume"),
        ("init normal 3 --rank 0 -o c/", "--rank needs --world-size N"),
        ("mlp 784-10 --activation rleu", "did you mean `relu`?"),
        ("mlp 784-10 --activation foo", "`fanin mlp --help` shows all"),
        ("init normal 3 --world-size 4 -o c/", "--world-size needs --rank I"),
        ("verify w.npy --alpha=0.01", "--alpha needs --distribution"),
        ("verify w.npy --layout torch", "--layout needs --scheme SCHEME"),
        ("verify w.npy --like torch", "it has no provenance"),
        ("list schemes torch", "use --framework torch"),
        ("man inti", "did you mean `init`?"),
        ("mlp 784 256 10", "join sizes by `-`, as in `784-256-10`"),
        ("--seed 7 init normal 3", "options follow the command, as in `fanin init --seed`"),
        ("mlp 784x256x10", "join sizes by `-`, as in `784-256-10`"),
        ("pretrain rmb 3-2 --data w.npy", "did you mean `rbm`?"),
        ("pretrain autoencoder 3-2 --data w.npy", "`fanin list pretrain-methods` shows all"),
        ("pretrain rbm 3-2 --data w.npy --noise 0.3", "use it with dae"),
        ("pretrain rbm 3-2 --data w.npy --epoch 3", "did you mean `--epochs`?"),
        ("pretrain rbm 5-2 --data w.npy", "use 3-..."),
        ("pretrain rbm 3-2 --data two.npz", "--data-tensor"),
        // Files.
        ("init normal 3 -o nowhere/w.npy", "no such folder"),
        ("inspect nofile.npy", "No such file or directory"),
        ("inspect .", "name one file"),
        ("verify nofile.npy", "No such file or directory"),
        ("verify w.npy", "pass --recipe FILE, or --scheme EXPR --seed N"),
        ("verify two.npz --scheme normal", "--seed N, or --distribution"),
        ("verify two.npz --tensor zz", "no tensor of `two.npz` matches it"),
        ("model nofile.toml", "No such file or directory"),
        ("model w.npy", "add --rules FILE"),
        ("model gpt2 --set n_layers=2 -o g/", "did you mean `n_layer`?"),
    ] {
        let ended = folder.shell(&format!("$FANIN {line}"));
        let length = ended.error().chars().count();
        if !ended.is_refusal() || !ended.error().contains(fix) || length > LONGEST {
            faults.push(format!("{line}: {length} characters: {}", ended.error()));
        }
    }
    assert!(faults.is_empty(), "{} lines:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(folder.names(), ["two.npz", "w.npy"]);
}
