"""Small text models in folders, written by the libraries themselves: seconds matter, not what they know."""

from pathlib import Path

import numpy as np
import torch

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "cat", "dog", "bank", "rate", "sleeps", "rises", "the", "of", "one")


def static_folder(path: Path, *, longest: int | None = 8, dim: int = 6) -> Path:
    """A folder of model2vec."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    vectors = np.random.default_rng(0).normal(size=(len(WORDS), dim)).astype(np.float32)
    StaticModel(vectors, tokenizer, normalize=True, max_length=longest).save_pretrained(path)
    return path


def sentence_folder(path: Path, *, longest: int = 16, safe: bool = True) -> Path:
    """A folder of sentence-transformers: a network with one layer, mean of its pieces, a linear map, length 1."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Dense, Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    plain = path.with_name(f"{path.name}-plain")
    plain.mkdir(parents=True)
    (plain / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(str(plain / "vocab.txt")).save_pretrained(plain)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(WORDS),
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=32,
        )
        BertModel(config).save_pretrained(plain)
        network = Transformer(str(plain), max_seq_length=longest)
        modules = [network, Pooling(8, "mean"), Dense(8, 5), Normalize()]
        SentenceTransformer(modules=modules, device="cpu").save_pretrained(str(path), safe_serialization=safe)
    return path
