using System.Diagnostics.Metrics;
using KawaOrleans.Server.Healing;

namespace KawaOrleans.Server;

/// <summary>Counters of this node, under the meter <c>KawaOrleans</c>.</summary>
internal sealed class KawaMetrics : IDisposable
{
    public const string MeterName = "KawaOrleans";

    private readonly Counter<long> _batches;
    private readonly Counter<long> _events;
    private readonly Counter<long> _appendedBytes;
    private readonly Counter<long> _readBytes;
    private readonly Counter<long> _rolls;
    private readonly Counter<long> _busy;
    private readonly UpDownCounter<long> _queued;
    private readonly Counter<long> _healed;

    public KawaMetrics()
    {
        _batches = Meter.CreateCounter<long>("kawa.appended.batches", description: "Batches acknowledged");
        _events = Meter.CreateCounter<long>("kawa.appended.events", description: "Events acknowledged");
        _appendedBytes = Meter.CreateCounter<long>("kawa.appended.bytes", "By", "Bytes acknowledged, as stored");
        _readBytes = Meter.CreateCounter<long>("kawa.read.bytes", "By", "Bytes of frames answered to reads");
        _busy = Meter.CreateCounter<long>("kawa.append.busy", description: "Appends refused because too much waited for the disk");
        _queued = Meter.CreateUpDownCounter<long>("kawa.append.queued", "By", "Bytes of appends that wait for the disk");
        _healed = Meter.CreateCounter<long>("kawa.healed.bytes", "By", "Bytes copied from other nodes for replicas that were lost or damaged");
        _rolls = Meter.CreateCounter<long>("kawa.rolls", description: "Segments found full");
    }

    /// <summary>This node's own: of several silos in one process each has one.</summary>
    public Meter Meter { get; } = new(MeterName);

    public void Appended(int batches, int events, int bytes)
    {
        _batches.Add(batches);
        _events.Add(events);
        _appendedBytes.Add(bytes);
    }

    public void Read(int bytes) => _readBytes.Add(bytes);

    public void Busy() => _busy.Add(1);

    public void Queued(int bytes) => _queued.Add(bytes);

    public void Rolled() => _rolls.Add(1);

    public void Healed(int bytes) => _healed.Add(bytes);

    /// <summary>Has what the last pass of healing found shown.</summary>
    public void Observe(Func<HealingReport> report)
    {
        Meter.CreateObservableGauge("kawa.replicas.short", () => report().Short, description: "Replicas of this node that end before their segment");
        Meter.CreateObservableGauge("kawa.replicas.damaged", () => report().Damaged, description: "Replicas of this node that do not verify");
        Meter.CreateObservableGauge("kawa.replicas.missing", () => report().Missing, description: "Replicas of this node whose file is gone");
        Meter.CreateObservableGauge("kawa.segments.under_replicated", () => report().UnderReplicated, description: "Segments with a replica too few; each is shown by one node");
        Meter.CreateObservableGauge("kawa.segments.waiting", () => report().WaitingForNode, description: "Segments with a replica on a node that is away; each is shown by one node");
    }

    public void Dispose() => Meter.Dispose();
}
