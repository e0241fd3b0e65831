using System.Buffers.Binary;
using System.Globalization;

namespace KawaOrleans.Benchmarks.Cluster;

/// <summary>Events with 100 bytes of data, a 16-byte stream and a 12-byte type, each with an id of its own.</summary>
internal static class SampleEvents
{
    public const int BatchEvents = 1000;
    public const int DataBytes = 100;
    public const string Type = "order-placed";

    private static readonly byte[][] Data = [.. Enumerable.Range(0, 1024).Select(DataOf)];
    private static readonly string[] Streams = [.. Enumerable.Range(0, 97).Select(n => string.Create(CultureInfo.InvariantCulture, $"orders-{n:000000000}"))];

    // Ids differ between runs and within one; making them costs nothing that would be measured.
    private static readonly long Salt = Random.Shared.NextInt64();
    private static long s_next;

    /// <summary>What an event takes on disk and on the wire, without the batch's own few bytes.</summary>
    public static int StoredBytes { get; } = Batch(BatchEvents).Bytes.Length / BatchEvents;

    public static EventData Next(string type = Type)
    {
        var n = Interlocked.Increment(ref s_next);
        return new EventData(Streams[n % Streams.Length], type, Data[n & 1023]) { Id = IdOf(n) };
    }

    /// <summary>The same in a stream of the caller's.</summary>
    public static EventData In(string stream) => Next() with { Stream = stream };

    public static EventBatch Single() => EventBatch.Of(Next());

    public static EventBatch Batch(int events = BatchEvents)
    {
        var batch = new EventData[events];
        for (var i = 0; i < events; i++)
        {
            batch[i] = Next();
        }

        return EventBatch.Encode(batch);
    }

    public static string StreamOf(long n) => Streams[n % Streams.Length];

    public static byte[] DataFor(long n) => Data[n & 1023];

    private static Guid IdOf(long n)
    {
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(id, Salt);
        BinaryPrimitives.WriteInt64LittleEndian(id[8..], n);
        return new Guid(id);
    }

    private static byte[] DataOf(int seed)
    {
        var data = new byte[DataBytes];
        new Random(seed).NextBytes(data);
        return data;
    }
}
