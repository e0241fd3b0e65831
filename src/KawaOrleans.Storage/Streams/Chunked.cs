using System.Collections;

namespace KawaOrleans.Storage.Streams;

/// <summary>A list that grows without moving what it holds, so that growing costs the same at any size.</summary>
internal sealed class Chunked<T> : IReadOnlyList<T>
    where T : struct
{
    private const int ChunkBits = 12;
    private const int ChunkEntries = 1 << ChunkBits;

    private readonly List<T[]> _chunks = [];

    public int Count { get; private set; }

    public ref T this[int index] => ref _chunks[index >> ChunkBits][index & (ChunkEntries - 1)];

    T IReadOnlyList<T>.this[int index] => this[index];

    public void Add(T entry)
    {
        if (Count >> ChunkBits == _chunks.Count)
        {
            _chunks.Add(new T[ChunkEntries]);
        }

        this[Count++] = entry;
    }

    /// <summary>Takes back the last entries.</summary>
    public void Truncate(int count) => Count = count;

    public void Clear()
    {
        _chunks.RemoveRange(Math.Min(1, _chunks.Count), Math.Max(0, _chunks.Count - 1));
        Count = 0;
    }

    public IEnumerator<T> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
