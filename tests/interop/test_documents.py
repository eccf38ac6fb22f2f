"""Every console block of the documents says what really happens."""

from pathlib import Path

import console
from support import Case

ROOT = Path(__file__).parents[2]

SOUND = """
```console
$ fanin init ones 2x2 -o w.npy
weight=2x2 f32: ones; mean 1, std 0
...
wrote w.npy: 16 bytes of values, seed 0, native-1
$ python -c "import numpy as np; \\
> print(np.load('w.npy').tolist())"
[[1.0, 1.0], [1.0, 1.0]]
```

```sh
exit 1
```

```console
$ ls w.npy
w.npy
$ fanin init ones 3x4 | head -c 6 | tail -c 5; echo
...
$ fanin init ones 3 -q -o w.npy
fanin: `w.npy`: already exists: use --force to overwrite
```
"""


class Documents(Case):
    def test_the_readme(self):
        if not (ROOT / "README.md").exists():
            self.skipTest("there is no README.md yet")
        count, told = console.faults(ROOT / "README.md")
        self.assertGreater(count, 0)
        self.assertEqual(told, [], "\n" + "\n".join(told))

    def test_the_other_documents(self):
        # The recipes' page is run by tests/repository/examples.rs, which writes the files that it shows.
        pages = [path for path in sorted((ROOT / "docs").glob("**/*.md")) if path.name != "recipes.md"]
        for path in [*pages, *ROOT.glob("CHANGELOG.md")]:
            with self.subTest(path=path.name):
                _, told = console.faults(path)
                self.assertEqual(told, [], "\n" + "\n".join(told))

    def test_a_block_that_is_right_is_passed(self):
        self.assertEqual(self.faults(SOUND), (5, []))

    def test_a_block_that_is_wrong_is_not(self):
        for right, wrong in [
            ("mean 1, std 0", "mean 1, std 1"),
            ("[[1.0, 1.0], [1.0, 1.0]]\n", ""),
            ("use --force to overwrite\n", "use --force to overwrite\nand more\n"),
            ("$ ls w.npy\nw.npy", "$ ls w.npy\n...\nother"),
            ("w.npy: 16 bytes", "w.npy: 17 bytes"),
            ("$ fanin init ones 3x4 |", "$ fanin init nonsense 3x4; exit 2; echo"),
        ]:
            with self.subTest(wrong=wrong):
                self.assertIn(right, SOUND)
                self.assertEqual(len(self.faults(SOUND.replace(right, wrong))[1]), 1)

    def test_a_block_without_a_command_is_refused(self):
        for text in ["```console\nfanin\n```\n", "```console\n$ fanin\n"]:
            with self.assertRaises(ValueError):
                console.steps(text)

    def faults(self, text):
        path = self.folder / "document.md"
        path.write_text(text, encoding="utf-8")
        return console.faults(path)
