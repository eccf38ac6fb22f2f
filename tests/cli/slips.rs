//! Slips: lines of people who know other programs. Each is taken as its canonical line, or refused with the fix.

use crate::common::{Ended, Folder};

/// Canonical lines, each with others that write the same bytes.
const TAKEN: &[(&str, &[&str])] = &[
    // Shapes.
    (
        "init normal 78x25",
        &[
            "init normal 78,25",
            "init normal '(78, 25)'",
            "init normal '(78, 25,)'",
            "init normal [78,25]",
            "init normal 78X25",
            "init normal 78×25",
            "init normal '78 x 25'",
            "init normal 78*25",
            "init normal weight=78,25",
            "init normal 'weight = (78, 25)'",
            // Names of schemes and options.
            "init Normal 78x25",
            "init NORMAL 78x25 --seed 0x0",
            "init 'normal:std=0.01' 78x25",
            "init normal:std=1e-2 78x25",
            "init normal:std=1/100 78x25",
            "init normal:0.01 78x25",
            "init normal:0,0.01 78x25",
            "init 'normal(0, 0.01)' 78x25",
            "init 'normal(mean=0.0, std=0.01)' 78x25",
            "init normal:sigma=0.01 78x25",
            "init normal:stddev=.01 78x25",
            // Types.
            "init normal 78x25 --dtype F32",
            "init normal 78x25 --dtype fp32",
            "init normal 78x25 --dtype float",
            "init normal 78x25 --dtype single",
            "init normal 78x25 --dtype float32",
            "init normal 78x25 --dtype torch.float32",
            "init normal 78x25 --dtype np.float32",
        ],
    ),
    ("init normal 7", &["init normal '(7,)'", "init normal [7]", "init normal ' 7'"]),
    ("init normal '()'", &["init normal []", "init normal '( )'"]),
    (
        "init normal 9 --dtype f64",
        &["init normal 9 --dtype double", "init normal 9 --dtype F64", "init normal 9 --dtype torch.double"],
    ),
    (
        "init normal 9 --dtype f16",
        &["init normal 9 --dtype half", "init normal 9 --dtype FP16", "init normal 9 --dtype torch.half"],
    ),
    (
        "init normal 9 --dtype bf16",
        &["init normal 9 --dtype BF16", "init normal 9 --dtype bfloat16", "init normal 9 --dtype jnp.bfloat16"],
    ),
    // Layouts.
    (
        "init he-normal 8x4x3x3 --layout oikk",
        &[
            "init he-normal 8x4x3x3 --layout OIHW",
            "init he-normal 8x4x3x3 --layout oihw",
            "init he-normal 8,4,3,3 --layout OIKK",
        ],
    ),
    ("init he-normal 3x3x4x8 --layout kkio", &["init he-normal 3x3x4x8 --layout HWIO"]),
    ("init he-normal 8x4x2x3x3 --layout oikkk", &["init he-normal 8x4x2x3x3 --layout oidhw"]),
    (
        "init he-normal 8x4 --layout torch",
        &["init he-normal 8x4 --layout pytorch", "init he-normal 8x4 --layout PyTorch"],
    ),
    (
        "init he-normal 8x4 --layout keras",
        &["init he-normal 8x4 --layout TensorFlow", "init he-normal 8x4 --layout tf"],
    ),
    ("init he-normal 8x4 --layout jax", &["init he-normal 8x4 --layout flax"]),
    // Frameworks.
    ("init normal 8x4 --like torch", &["init normal 8x4 --like pytorch", "init normal 8x4 --like PyTorch"]),
    ("init normal 8x4 --like numpy", &["init normal 8x4 --like np"]),
    ("init normal 8x4 --like tensorflow", &["init normal 8x4 --like tf"]),
    (
        "init normal 8x4 --like keras:tensorflow",
        &["init normal 8x4 --like keras:tf", "init normal 8x4 --like Keras:TF"],
    ),
    // Schemes as frameworks write them.
    (
        "init he-normal 8x4",
        &[
            "init he_normal 8x4",
            "init 'He normal' 8x4",
            "init kaiming_normal_ 8x4",
            "init torch.nn.init.kaiming_normal_ 8x4",
            "init nn.init.kaiming_normal_ 8x4",
            "init init.kaiming_normal_ 8x4",
            "init 'kaiming_normal_()' 8x4",
            "init 'nn.init.kaiming_normal_(self.fc1.weight)' 8x4",
            "init \"kaiming_normal_(w, nonlinearity='relu')\" 8x4",
            "init kaiming_normal_:nonlinearity=relu 8x4",
        ],
    ),
    (
        "init he-normal:mode=fan-out 8x4",
        &[
            "init he-normal:mode=fan_out 8x4",
            "init \"he-normal:mode='fan_out'\" 8x4",
            "init 'kaiming_normal_(mode=fan_out,nonlinearity=relu)' 8x4",
            "init \"nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')\" 8x4",
        ],
    ),
    (
        "init he-uniform:gain=leaky-relu,slope=0.2 8x4",
        &[
            "init kaiming_uniform_:a=0.2 8x4",
            "init kaiming_uniform_:a=0.2,nonlinearity=leaky_relu 8x4",
            "init 'torch.nn.init.kaiming_uniform_(w, a=0.2)' 8x4",
        ],
    ),
    (
        "init he-uniform:gain=leaky-relu,slope=2.23606797749979 8x4",
        &[
            "init 'kaiming_uniform_(self.weight, a=math.sqrt(5))' 8x4",
            "init 'kaiming_uniform_:a=sqrt(5)' 8x4",
            "init kaiming_uniform_:a=5**0.5 8x4",
        ],
    ),
    (
        "init glorot-uniform 8x4",
        &[
            "init xavier_uniform_ 8x4",
            "init nn.init.xavier_uniform_ 8x4",
            "init XavierUniform 8x4",
            "init GlorotUniform 8x4",
            "init tf.keras.initializers.GlorotUniform 8x4",
            "init 'keras.initializers.GlorotUniform()' 8x4",
            "init nn.initializers.glorot_uniform 8x4",
            "init 'nn.init.xavier_uniform_(w, gain=1.0)' 8x4",
        ],
    ),
    ("init keras.HeNormal 8x4", &["init keras.initializers.HeNormal 8x4", "init tf.keras.initializers.HeNormal 8x4"]),
    (
        "init jax.he_normal 8x4",
        &["init jax.nn.initializers.he_normal 8x4", "init 'jax.nn.initializers.he_normal()' 8x4"],
    ),
    (
        "init truncated-normal:std=0.02,low=-2,high=2 8x4",
        &[
            "init torch.nn.init.trunc_normal_:mean=0,std=0.02 8x4",
            "init 'nn.init.trunc_normal_(w, std=0.02)' 8x4",
            "init truncated-normal:0,0.02,-2,2 8x4",
            "init 'nn.init.trunc_normal_(w, 0., 0.02, -2., 2.)' 8x4",
        ],
    ),
    ("init constant:0.3 8", &["init 'nn.init.constant_(layer.bias, 0.3)' 8", "init torch.constant_:val=0.3 8"]),
    ("init zeros 8", &["init 'nn.init.zeros_(m.bias)' 8", "init Zeros 8", "init torch.nn.init.zeros_ 8"]),
    (
        "init uniform:low=-0.1,high=0.1 8x4",
        &[
            "init uniform:-0.1,0.1 8x4",
            "init 'uniform(-0.1, 0.1)' 8x4",
            "init 'nn.init.uniform_(w, -0.1, 0.1)' 8x4",
            "init 'np.random.uniform(-0.1, 0.1)' 8x4",
            "init 'self.fc.weight.data.uniform_(-0.1, 0.1)' 8x4",
            "init 'nn.init.uniform(w, -0.1, 0.1)' 8x4",
            "init uniform:0.1 8x4",
            "init uniform:minval=-0.1,maxval=0.1 8x4",
        ],
    ),
    ("init torch.nn.LSTM:num_layers=2 16x3 --format npz", &["init 'nn.LSTM(num_layers=2)' 16x3 --format npz"]),
    // Numbers.
    (
        "init orthogonal:1.4142135623730951 8x8",
        &[
            "init 'orthogonal:sqrt(2)' 8x8",
            "init 'orthogonal:gain=math.sqrt(2)' 8x8",
            "init 'orthogonal:np.sqrt(2)' 8x8",
            "init orthogonal:2**0.5 8x8",
            "init orthogonal:gain=relu 8x8",
            "init \"orthogonal_(w, gain=nn.init.calculate_gain('relu'))\" 8x8",
        ],
    ),
    ("init orthogonal:1.6666666666666667 8x8", &["init orthogonal:5/3 8x8", "init orthogonal:gain=tanh 8x8"]),
    ("init normal:std=0.5773502691896257 8x8", &["init 'normal:std=1/sqrt(3)' 8x8", "init normal:std=3**-0.5 8x8"]),
    ("init uniform:range=3.141592653589793 8", &["init uniform:pi 8", "init uniform:range=math.pi 8"]),
    ("init normal:std=0.03125 8", &["init normal:2**-5 8", "init normal:2^-5 8"]),
];

/// Lines that are refused, each with the fix in its error.
const REFUSED: &[(&str, &str)] = &[
    // The order of words, and words that are options or parameters.
    ("he-normal 784x256", "`fanin init he-normal 784x256`"),
    ("he-norml 784x256", "`fanin init he-norml 784x256`"),
    ("HeNormal fc1=784x256 -o w.npy", "`fanin init HeNormal fc1=784x256 -o w.npy`"),
    ("torch.nn.init.xavier_uniform_ 784x256", "`fanin init torch.nn.init.xavier_uniform_ 784x256`"),
    ("'normal(0, 0.02)' 784x256", "`fanin init 'normal(0, 0.02)' 784x256`"),
    ("he-normal", "`fanin init he-normal SHAPE`"),
    ("784x256", "`fanin init he-normal 784x256`"),
    ("784-256-10", "`fanin mlp 784-256-10`"),
    ("init 784x256 he-normal", "the scheme comes first, as in `fanin init he-normal 784x256`"),
    ("init '(784, 256)' normal", "`fanin init normal 784x256`"),
    ("init fc1=784x256 orthogonal", "`fanin init orthogonal fc1=784x256`"),
    ("init 784x256", "`fanin init he-normal 784x256`"),
    ("init he-normal", "`fanin init he-normal 784x256`"),
    ("init", "`fanin init he-normal 784x256`"),
    ("init he-normal 784 256", "did you mean `784x256`?"),
    ("init glorot_uniform 784 256", "did you mean `784x256`?"),
    ("init orthogonal 64 64", "did you mean `64x64`?"),
    ("init normal std=0.02 3x3", "parameters follow a colon, as in `normal:std=0.02`"),
    ("init normal mean=0.5 3x3", "`normal:mean=0.5`"),
    ("init normal:0.1 mean=0.5 3x3", "`normal:0.1,mean=0.5`"),
    ("init he-normal mode=fan_out 3x3", "`he-normal:mode=fan_out`"),
    ("init he-normal gain=tanh 3x3", "`he-normal:gain=tanh`"),
    ("init normal 0.02 3x3", "`normal:0.02`"),
    ("init 'normal std=0.02' 3x3", "`normal:std=0.02`"),
    ("init normal,std=0.02 3x3", "`normal:std=0.02`"),
    ("init normal=0.02 3x3", "`normal:0.02`"),
    ("init normal 3x3 float16", "--dtype float16"),
    ("init normal 3x3 dtype=float16", "--dtype float16"),
    ("init normal 3x3 seed=random", "--seed random"),
    ("init normal 3x3 torch", "--like torch"),
    ("init normal 3x3 w.npy", "-o w.npy"),
    ("init normal 3x3 zeros", "a command for each scheme"),
    // Shapes.
    ("init normal 2x3,4x5", "`784x256`"),
    ("init normal 784-256", "join sizes by `x`"),
    ("init normal 784x", "join sizes by `x`"),
    ("init normal 3.5x2", "join sizes by `x`"),
    ("init normal 1e3", "join sizes by `x`"),
    ("init normal '784 256'", "`784x256`"),
    ("init normal [784, 256]", "`784x256`"),
    ("init normal None", "`()` for a scalar"),
    ("init normal w=", "`784x256`"),
    ("init normal 99999999999999999999", "2^48"),
    ("init he-normal 3", "pass --fan-in N"),
    ("init orthogonal 3", "two or more axes"),
    // Schemes and parameters.
    ("init nromal 3x3", "did you mean `normal`?"),
    ("init he-norml 3x3", "did you mean `he-normal`?"),
    ("init gloror_uniform 3x3", "did you mean `glorot-uniform`?"),
    ("init kaming_normal_ 3x3", "did you mean `kaiming_normal`?"),
    ("init tourch.normal_ 3x3", "did you mean `torch`?"),
    ("init torch.nromal_ 3x3", "did you mean `normal_`?"),
    ("init torch.nn.init.kaiming 3x3", "`fanin list schemes --framework torch`"),
    ("init keras.HeNorml 3x3", "did you mean `HeNormal`?"),
    ("init 'HeNormal(seed=42)' 3x3", "use --seed"),
    ("init 'normal_(dtype=torch.float16)' 3x3", "use --dtype"),
    ("init 'normal(0, 0.02, size=(3,3))' 3x3", "write the shape after the scheme"),
    ("init 'normal(0.02)' 3x3", "`std=0.02`"),
    ("init 'kaiming_uniform_(0.2)' 3x3", "`key=value`"),
    ("init 'np.random.randn(784, 256)' 784x256", "`np.random.randn 784x256`"),
    ("init 'torch.randn(784, 256)' 784x256", "`randn` alone is a scheme"),
    ("init 'np.random.normal(0, 0.02, (784, 256))' 784x256", "write it after the scheme"),
    ("init 'rng.standard_normal((784, 256))' 784x256", "write it after the scheme"),
    ("init 'np.random.randn(784, 256)*0.01' 784x256", "`normal:std=0.01`"),
    ("init '0.01*np.random.randn(784, 256)' 784x256", "`normal:std=0.01`"),
    ("init 'np.zeros((3, 3))' 3x3", "`zeros` alone is a scheme"),
    ("init 'torch.empty(3, 3).normal_(0, 0.02)' 3x3", "a scheme is one name or call"),
    ("init 'torch.randn(3, 3)'", "`fanin init he-normal 784x256`"),
    ("init jax.random.normal 3x3", "use `randn`, `rand` or `jax.NAME`"),
    ("init 'keras.random.normal((3, 3))' 3x3", "use `randn`, `rand` or `keras.NAME`"),
    ("init keras.layers.Dense 3x3", "use torch.nn.NAME"),
    ("init zeros:1 3", "takes no value"),
    ("init 'xavier_uniform_(gain=1' 3x3", "the last `)` is missing"),
    ("init normal:sd=0.02 3x3", "did you mean `std`?"),
    ("init he-normal:a=0.2 3x3", "`fanin explain he-normal`"),
    ("init normal:std= 3x3", "`key=value`"),
    ("init normal:std=abc 3x3", "a finite number"),
    ("init normal:std=1/0 3x3", "a finite number"),
    ("init normal:std=-1 3x3", "0 or more"),
    ("init normal:1,2,3 3x3", "mean, std"),
    ("init normal:std=1,stddev=2 3x3", "given twice"),
    ("init normal::0.02 3x3", "an argument is missing"),
    ("init he-normal:mode=fan_inn 3x3", "did you mean `fan-in`?"),
    ("init he-normal:gain=rleu 3x3", "did you mean `relu`?"),
    ("init he-normal:nonlinearity=leakyrelu6 3x3", "did you mean `leaky-relu`?"),
    ("init uniform:0.1,-0.1 3x3", "low must be below high"),
    ("init constant 3x3", "`value=0.1`"),
    ("init 'nn.Linear(784, 256)' 256x784", "`torch.nn.Linear 256x784`"),
    // Layouts, types, frameworks, seeds.
    ("init he-normal 3x3 --layout NCHW", "OIHW"),
    ("init he-normal 3x3 --layout channels_last", "OIHW"),
    ("init he-normal 3x3 --layout torhc", "did you mean `torch`?"),
    ("init he-normal 3x3 --layout OIXY", "`fanin list layouts`"),
    ("init he-normal 3x3x3x3 --layout oi", "another --layout"),
    ("init normal 3 --dtype int8", "f64, f32, f16 or bf16"),
    ("init normal 3 --dtype f23", "did you mean `f32`?"),
    ("init normal 3 --dtype torch.int64", "f64, f32, f16 or bf16"),
    ("init normal 3x3 --like keras", "keras:jax, keras:tensorflow, keras:torch or keras:numpy"),
    ("init normal 3x3 --like keras:jx", "did you mean `keras:jax`?"),
    ("init normal 3x3 --like trch", "did you mean `torch`?"),
    ("init normal 3x3 --like mxnet", "`fanin list generators`"),
    ("init he-normal 3x3 --like numpy", "the nearest is `normal`"),
    ("init keras.HeNormal 3x3 --like torch", "--like torch"),
    ("init he-normal 3x3 --like tensorflow", "use --like jax or keras"),
    ("init sparse:0.5 3x3 --like jax", "use --like"),
    ("init normal 3 --seed 1e6", "2^64-1"),
    ("init normal 3 --seed -1", "--like"),
    ("init normal 3 --seed abc", "`random`"),
    ("init normal 3 --seed 1 --seed 2", "given twice"),
    // Files.
    ("init normal 3 -o x.gguf", "use .safetensors"),
    ("init normal 3 -o x.h5", "use .npz"),
    ("init normal 3 -o x.keras", "model.set_weights"),
    ("init normal 3 -o x.onnx", "onnx.numpy_helper"),
    ("init normal 3 -o x.bin", "use .pt"),
    ("init normal 3 -o x.ckpt", "use .pt"),
    ("init normal 3 -o x.pkl", "use .npy"),
    ("init normal 3 -o x.csv", "numpy.savetxt"),
    ("init normal 3 -o x.msgpack", "flax.serialization"),
    ("init normal 3 -o x.tflite", "use .npz"),
    ("init normal 3 -o x.zip", "use .npz"),
    ("init normal 3 -o x.png", "`fanin inspect`"),
    ("init normal 3 -o x.safetensor", "did you mean `.safetensors`?"),
    ("init normal 3 -o x.nyp", "did you mean `.npy`?"),
    ("init normal 3 -o x", "or add --format"),
    ("init normal 3 -o w.npy", "--force"),
    ("init normal a=3 b=4 -o x.npy", "use .npz"),
    ("init normal a=3 b=4", "write a file with -o"),
    ("init normal 3 -o nofolder/x.npy", "no such folder"),
    ("init normal 3 -o x --format safetensor", "did you mean `safetensors`?"),
    ("init normal 3 -o x --format torch", "`fanin list formats`"),
    // Options.
    ("init normal 3x3 --std 0.02", "parameters follow a colon, as in `normal:std=0.02`"),
    ("init --std=0.02 normal 3x3", "`normal:std=0.02`"),
    ("init he-normal 3x3 --gain 2", "`he-normal:gain=2`"),
    ("init he-normal 3x3 --mode fan_out", "`he-normal:mode=fan_out`"),
    ("init he 3x3 --distribution uniform", "`he:distribution=uniform`"),
    ("init normal 3x3 --density 0.1", "parameters follow a colon"),
    ("init normal 3x3 --distribution uniform", "the scheme comes first"),
    ("init --scheme normal 3x3", "the scheme comes first"),
    ("init --init he-normal 3x3", "the scheme comes first"),
    ("init normal 3x3 --name fc1", "`fc1=784x256`"),
    ("init normal --shape 3x3", "`fanin init normal 784x256`"),
    ("init normal 3 --out x.npy", "--output"),
    ("init normal 3 --overwrite", "--force"),
    ("init normal 3 -j 4", "--threads"),
    ("init normal 3 --precision f16", "--dtype"),
    ("init normal 3 --random-state 1", "--seed"),
    ("init normal 3 --framework torch", "--like or --layout"),
    ("init normal 3 --data-format hwio", "--layout"),
    ("init normal 3 --memory 1GiB", "--max-memory"),
    ("init normal 3 --silent", "--quiet"),
    ("init normal 3 --fanin 3", "did you mean `--fan-in`?"),
    ("init normal 3 --sed 3", "did you mean `--seed`?"),
    ("init normal 3 -seed 3", "did you mean `--seed`?"),
    ("init normal 3 --max-memory 8GB", "8GiB"),
    ("init normal 3 --threads 0", "1 to 1024"),
    // Commands.
    ("inti normal 3x3", "did you mean `init`?"),
    ("new he-normal 3x3", "`fanin init he-normal 3x3`"),
    ("w.npz", "`fanin inspect w.npz`"),
    ("r.toml", "`fanin model r.toml`"),
    ("show w.npz", "`fanin inspect w.npz`"),
    ("diff w.npz w.npy", "`fanin inspect w.npz w.npy`"),
    ("verify w.npz w.npy", "`fanin inspect` compares two files"),
    ("list schemes lora", "use --search lora"),
    ("train rbm 64-32", "`fanin pretrain rbm 64-32`"),
    ("rbm 64-32", "`fanin pretrain rbm 64-32`"),
    ("ls schemes", "`fanin list schemes`"),
    ("schemes", "`fanin list schemes`"),
    ("describe he-normal", "`fanin explain he-normal`"),
    ("version", "`fanin --version`"),
    ("list scheme", "did you mean `schemes`?"),
    ("list schemes --framework troch", "did you mean `torch`?"),
    ("verify", "`fanin verify w.npz`"),
    ("verify w.npz --sceme normal", "did you mean `--scheme`?"),
    ("verify nofile.npz", "`nofile.npz`"),
    ("inspect", "`fanin inspect w.npz`"),
    ("inspect w.npz --as normal", "use --scheme"),
    ("inspect w.npz w.npy w.npz", "at most two files are compared"),
    ("explain", "`fanin explain he-normal`"),
    ("explain --as", "nothing is called `--as`"),
    ("explain jax.random.normal", "use `randn`, `rand` or `jax.NAME`"),
    ("explain he-norml", "did you mean `he-normal`?"),
    ("explain keras.HeNorml", "did you mean `HeNormal`?"),
    // Models and training.
    ("mlp", "`fanin mlp 784-512-10`"),
    ("mlp 784", "`784-512-10`"),
    ("mlp 784,512,10", "join sizes by `-`"),
    ("mlp 784x512x10", "join sizes by `-`"),
    ("mlp 8-4 --activation rleu", "did you mean `relu`?"),
    ("mlp 8-4 --act relu", "--activation"),
    ("mlp 8-4 --bias nromal", "did you mean `normal`?"),
    ("mlp 8-4 --scheme henorml", "did you mean `he-normal`?"),
    ("model nofile.json", "`nofile.json`"),
    ("model meta-llama/Llama-2-7b", "download its config.json"),
    ("model gpt2 -o checkpoint", "a folder ends with `/`"),
    ("model berrt", "did you mean `bert`?"),
    ("model r.toml -o x.gguf", "use .safetensors"),
    ("pretrain rbm 2-2", "--data x.npy"),
    ("pretrain rbn 2-2 --data x.csv", "did you mean `rbm`?"),
    ("pretrain rbm 2x2 --data x.csv", "join sizes by `-`"),
    ("pretrain rbm 2-2 --data x.csv --lr 0.1", "--learning-rate"),
    ("pretrain rbm 2-2 --data x.csv --epoch 3", "did you mean `--epochs`?"),
    ("pretrain rbm 2-2 --data nofile.npy", "`nofile.npy`"),
];

fn run(folder: &Folder, line: &str) -> Ended {
    folder.shell(&format!("$FANIN {line}"))
}

/// A folder with the files of the lines.
fn workplace() -> Folder {
    let folder = Folder::new();
    folder.done("init normal a=3x2 b=4 -o w.npz -q");
    folder.done("init normal 3x2 -o w.npy -q");
    folder.write("r.toml", "[tensors]\na = { shape = [3, 2], scheme = \"normal\" }\n");
    folder.write("x.csv", "1,2\n3,4\n");
    folder
}

#[test]
fn slips_of_one_meaning_write_the_bytes_of_the_canonical_line() {
    let folder = Folder::new();
    for (canonical, slips) in TAKEN {
        let expected = run(&folder, canonical);
        assert_eq!(expected.status, 0, "{canonical}: {}", expected.stderr);
        for slip in *slips {
            let found = run(&folder, slip);
            assert_eq!(found.status, 0, "{slip}: {}", found.stderr);
            assert!(found.stdout == expected.stdout, "{slip} differs from {canonical}: {}", found.stderr);
        }
    }
}

#[test]
fn other_slips_are_refused_with_the_fix_in_short_lines() {
    let folder = workplace();
    let before = folder.contents();
    let mut faults = Vec::new();
    for (line, fix) in REFUSED {
        let ended = run(&folder, line);
        let is_short = ended.stderr.lines().all(|line| line.chars().count() <= 100);
        if ended.status != 2 || !ended.stdout.is_empty() || !is_short || !ended.stderr.contains(fix) {
            faults.push(format!("{line}: status {}, not {fix}: {}", ended.status, ended.stderr));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), REFUSED.len(), faults.join("\n"));
    assert_eq!(folder.contents(), before, "a refused line changed a file");
}

#[test]
fn slips_that_may_be_meant_are_taken_with_a_note() {
    let folder = Folder::new();
    for (line, note) in [
        ("init normal std=1 -o a.npz", "a parameter follows a colon, as in `normal:std=1`"),
        ("init normal seed=7 -o b.npz", "the option is --seed 7"),
        ("init normal 3 -o c.npy --format pt", "`c.npy` holds pt, but its extension is that of npy"),
        ("init normal 784x0 -o d.npy", "shape 784x0 has an axis of size 0, so the array is empty"),
    ] {
        let ended = run(&folder, line);
        let said = [ended.stdout.as_slice(), ended.stderr.as_bytes()].concat();
        assert!(ended.status == 0 && String::from_utf8_lossy(&said).contains(note), "{line}: {ended:?}");
    }
}
