using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using System.Text;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>The batches of the soak: what the n-th one of a caller holds follows from the seed, so that nobody has to keep it.</summary>
internal static class SoakBatch
{
    public const int MostDataBytes = 4 * 1024 * 1024;

    /// <summary>Of small events; a large one comes alone, since eight of those are no batch.</summary>
    private const int MostEvents = 8;

    private const int OneInSoManyIsLarge = 50;
    private const double LargeFrom = 64 * 1024;
    private const double SmallTo = 16 * 1024;

    /// <summary>Events of 1 byte to 4 MiB, all orders of magnitude alike.</summary>
    public static EventData[] Events(int seed, string caller, int sequence)
    {
        var random = new Random(HashCode(seed, caller, sequence));
        if (random.Next(OneInSoManyIsLarge) == 0)
        {
            // One of eight is as large as they come.
            return [Event(random, seed, caller, sequence, 0, random.Next(8) == 0 ? MostDataBytes : Size(random, LargeFrom, MostDataBytes))];
        }

        var events = new EventData[random.Next(1, MostEvents + 1)];
        for (var i = 0; i < events.Length; i++)
        {
            events[i] = Event(random, seed, caller, sequence, i, Size(random, 1, SmallTo));
        }

        return events;
    }

    /// <summary>Which batch of its caller an event is from, or null when it is none of these.</summary>
    public static int? SequenceOf(RecordedEvent e) => e.Metadata.Length == 8 ? BinaryPrimitives.ReadInt32LittleEndian(e.Metadata.Span) : null;

    public static string CallerName(int number) => string.Create(CultureInfo.InvariantCulture, $"caller-{number}");

    private static EventData Event(Random random, int seed, string caller, int sequence, int index, int bytes)
    {
        var data = new byte[bytes];
        var id = new byte[16];
        var place = new byte[8];
        random.NextBytes(data);

        // Not from the generator: two batches may share its seed, and an id names one event of a log.
        BinaryPrimitives.WriteUInt64LittleEndian(id, XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(caller), seed));
        BinaryPrimitives.WriteInt32LittleEndian(id.AsSpan(8), sequence);
        BinaryPrimitives.WriteInt32LittleEndian(id.AsSpan(12), index);
        BinaryPrimitives.WriteInt32LittleEndian(place, sequence);
        BinaryPrimitives.WriteInt32LittleEndian(place.AsSpan(4), index);
        return new EventData(caller, "soaked", data) { Id = new Guid(id), Metadata = place };
    }

    private static int Size(Random random, double from, double to) => (int)Math.Round(from * Math.Pow(to / from, random.NextDouble()));

    /// <summary>The same in every process, which the framework's own hash is not.</summary>
    private static int HashCode(int seed, string caller, int sequence)
    {
        var hash = 17;
        foreach (var c in caller)
        {
            hash = unchecked((hash * 31) + c);
        }

        return unchecked((((hash * 31) + sequence) * 31) + seed);
    }
}
