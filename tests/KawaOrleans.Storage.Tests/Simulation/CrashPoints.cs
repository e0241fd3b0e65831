namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>Every state that a crash can leave behind, for every prefix of the recorded operations.</summary>
internal static class CrashPoints
{
    private const int PageSectors = 8;

    /// <summary>The disks a power loss can leave. Of the operation in flight, a write may have arrived up to, or from, any sector.</summary>
    /// <param name="start">The volume before the first operation.</param>
    /// <param name="operations">What was asked of it.</param>
    /// <param name="seeds">How many random survivals at each point, for sectors and for pages.</param>
    /// <param name="everySector">Torn at each sector; else at the first, the last and one in each page.</param>
    public static IEnumerable<(SimulatedVolume Left, List<string> Notes, string Where)> PowerLosses(
        SimulatedVolume start, IReadOnlyList<Operation> operations, int seeds, bool everySector)
    {
        foreach (var (at, before, notes, next) in Points(start, operations))
        {
            yield return (before.AfterPowerLoss(Survival.None), notes, $"before operation {at} ({next}), {Survival.None}");
            yield return (before.AfterPowerLoss(Survival.All), notes, $"before operation {at} ({next}), {Survival.All}");
            for (var seed = 0; seed < seeds; seed++)
            {
                foreach (var unit in (int[])[1, PageSectors])
                {
                    var survival = Survival.Some((at * 1000) + seed, unit);
                    yield return (before.AfterPowerLoss(survival), notes, $"before operation {at} ({next}), {survival}");
                }
            }

            foreach (var (offset, bytes) in Torn(next, everySector))
            {
                foreach (var survival in (Survival[])[Survival.None, Survival.All])
                {
                    yield return (before.AfterPowerLoss(survival, (next!.File, offset, bytes)), notes,
                        $"in operation {at} ({next}), {bytes.Length} bytes at {offset} arrived, {survival}");
                }
            }

            foreach (var (bytes, how) in Stored(before, at, next, everyWord: false))
            {
                var survival = Survival.Some(at, 1);
                yield return (before.AfterPowerLoss(survival, (next!.File, next.Offset, bytes)), notes, $"in operation {at} ({next}), {how} and arrived, {survival}");
            }
        }
    }

    /// <summary>The page caches that a killed process can leave.</summary>
    public static IEnumerable<(SimulatedVolume Left, List<string> Notes, string Where)> Kills(
        SimulatedVolume start, IReadOnlyList<Operation> operations, bool everySector)
    {
        foreach (var (at, before, notes, next) in Points(start, operations))
        {
            yield return (before.AfterKill(), notes, $"killed before operation {at} ({next})");
            foreach (var (offset, bytes) in Torn(next, everySector).Where(t => t.Offset == next!.Offset))
            {
                yield return (before.AfterKill((next!.File, offset, bytes)), notes, $"killed in operation {at} ({next}) after {bytes.Length} bytes");
            }

            foreach (var (bytes, how) in Stored(before, at, next, everyWord: everySector))
            {
                yield return (before.AfterKill((next!.File, next.Offset, bytes)), notes, $"killed in operation {at} ({next}): {how}");
            }
        }
    }

    private static IEnumerable<(int At, SimulatedVolume Before, List<string> Notes, Operation? Next)> Points(
        SimulatedVolume start, IReadOnlyList<Operation> operations)
    {
        var volume = start.AfterKill();
        var notes = new List<string>();
        for (var at = 0; at <= operations.Count; at++)
        {
            var next = at < operations.Count ? operations[at] : null;
            if (next?.Kind != OperationKind.Note)
            {
                yield return (at, volume, [.. notes], next);
            }
            else
            {
                notes.Add(next.Path);
            }

            if (next is not null)
            {
                volume.Apply(next);
            }
        }
    }

    private static IEnumerable<(byte[] Bytes, string How)> Stored(SimulatedVolume before, int at, Operation? next, bool everyWord)
    {
        if (next?.Kind != OperationKind.Store)
        {
            yield break;
        }

        var there = before.BytesAt(next.File, next.Offset, next.Bytes!.Length);
        foreach (var (left, how) in StoreCuts.Of(next, at, everyWord))
        {
            yield return (left(there), how);
        }
    }

    private static IEnumerable<(int Offset, byte[] Bytes)> Torn(Operation? write, bool everySector)
    {
        if (write?.Kind != OperationKind.Write)
        {
            yield break;
        }

        var bytes = write.Bytes!;
        var end = write.Offset + bytes.Length;
        for (var cut = (write.Offset / SimulatedFile.SectorBytes + 1) * SimulatedFile.SectorBytes; cut < end; cut += SimulatedFile.SectorBytes)
        {
            var atPage = cut % (PageSectors * SimulatedFile.SectorBytes) == 0;
            if (everySector || atPage || cut - write.Offset <= SimulatedFile.SectorBytes || end - cut <= SimulatedFile.SectorBytes)
            {
                yield return (write.Offset, bytes[..(cut - write.Offset)]);
                yield return (cut, bytes[(cut - write.Offset)..]);
            }
        }
    }
}
