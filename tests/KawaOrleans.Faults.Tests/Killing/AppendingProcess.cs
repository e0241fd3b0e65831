using System.Buffers.Binary;
using KawaOrleans.Storage;

namespace KawaOrleans.Faults.Tests.Killing;

/// <summary>The life of a process that appends to two logs at once, durably and through a map, rolling as segments fill, and tells
/// each acknowledgement before it goes on. It ends only by being killed.</summary>
internal static class AppendingProcess
{
    public const string Node = "node-1";

    /// <summary>The directory belongs to another process.</summary>
    public const int Refused = 3;

    /// <summary>What is told: a letter and a number. A log's letter: so many of its events are acknowledged.</summary>
    public const int ToldBytes = 9;
    public const char Starting = 's';
    public const char Recovered = 'r';

    public static async Task<int> RunAsync(string directory, Stream output)
    {
        Tell(output, Starting, 0);
        NodeStore store;
        try
        {
            store = NodeStore.Open(directory, Node);
        }
        catch (DirectoryLockedException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            return Refused;
        }

        Tell(output, Recovered, 0);
        await await Task.WhenAny(NumberedLog.Both.Select(log => Task.Run(() => AppendAsync(store, log, output))));
        return 0;
    }

    private static async Task AppendAsync(NodeStore store, NumberedLog log, Stream output)
    {
        var segment = store.CurrentWriteSegment(log.Id) ?? Next(store, log);
        while (true)
        {
            var writer = segment.OpenWriter(Guid.NewGuid(), log.Durability);
            try
            {
                await FillAsync(segment, writer, log, output);
            }
            catch (SegmentFullException)
            {
                segment.Fence(savedChainVersion: 1);
                segment = Next(store, log);
            }
        }
    }

    /// <summary>Several batches at once, so that some share a sync.</summary>
    private static async Task FillAsync(Segment segment, SegmentWriter writer, NumberedLog log, Stream output)
    {
        var given = new Queue<(long End, Task<AppendedBatch> Append)>();
        for (var next = segment.Tail.Position; ;)
        {
            while (given.Count < 4)
            {
                var batch = log.Batch(next);
                next += batch.Count;
                given.Enqueue((next, writer.AppendAsync(batch).AsTask()));
            }

            var (end, append) = given.Dequeue();
            await append;
            Tell(output, log.Letter, end);
        }
    }

    /// <summary>What a roll does, from wherever the death of an earlier process left it.</summary>
    private static Segment Next(NodeStore store, NumberedLog log)
    {
        var segments = store.Segments.Where(s => s.Header.LogId == log.Id).OrderBy(static s => s.Header.Identity.Epoch).ToList();
        var end = segments.Count == 0 ? 0 : segments[^1].Tail.Position;
        var next = store.Create(log.Header(end, segments.Count + 1));
        foreach (var ended in segments.Where(static s => s.State == SegmentState.Fenced))
        {
            ended.Seal(ended.Tail.Position);
        }

        return next;
    }

    private static void Tell(Stream output, char letter, long number)
    {
        Span<byte> told = stackalloc byte[ToldBytes];
        told[0] = (byte)letter;
        BinaryPrimitives.WriteInt64LittleEndian(told[1..], number);
        output.Write(told);
    }
}
