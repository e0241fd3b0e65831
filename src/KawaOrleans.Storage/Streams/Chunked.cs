namespace KawaOrleans.Storage.Streams;

/// <summary>A list that grows without moving what it holds, so that growing costs the same at any size.</summary>
internal sealed class Chunked<T>
    where T : struct
{
    private const int ChunkBits = 12;
    private const int ChunkEntries = 1 << ChunkBits;

    private T[][] _chunks = [];

    public int Count { get; private set; }

    public ref T this[int index] => ref _chunks[index >> ChunkBits][index & (ChunkEntries - 1)];

    public void Add(T entry)
    {
        var chunk = Count >> ChunkBits;
        if (chunk == _chunks.Length)
        {
            Array.Resize(ref _chunks, Math.Max(1, 2 * chunk));
        }

        // One that was truncated away is there still.
        _chunks[chunk] ??= new T[ChunkEntries];
        this[Count++] = entry;
    }

    /// <summary>Takes back the last entries.</summary>
    public void Truncate(int count) => Count = count;
}
