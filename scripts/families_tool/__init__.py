"""The facts about the models of `transformers` that fanin's families follow."""
