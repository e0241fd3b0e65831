using KawaOrleans.Storage;
using KawaOrleans.Storage.Tests.Simulation;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>How often a request to a disk ends in the death of its machine, and how often a sync fails or is slow.</summary>
internal readonly record struct DiskTrouble(double Death, double FailedSync, double SlowSync);

/// <summary>A node's disk: everything that can go wrong with it does, as often as it is told.</summary>
internal sealed class SimulatedDisk
{
    public const string Root = "/kawa";

    private readonly World _world;
    private readonly Incidents _incidents;
    private (int File, int Offset, byte[] Bytes)? _arrived;
    private SimulatedVolume? _copy;
    private SimulatedVolume? _original;

    public SimulatedDisk(World world, Incidents incidents, SimulatedVolume? copied = null)
    {
        (_world, _incidents) = (world, incidents);
        Volume = copied ?? new SimulatedVolume();
        Begin(Volume);
    }

    public SimulatedVolume Volume { get; private set; }

    public DiskTrouble Trouble { get; set; }

    /// <summary>Nothing can be made or lengthened.</summary>
    public bool IsFull { get; set; }

    /// <summary>The power went in the middle of a request.</summary>
    public bool IsDying { get; private set; }

    /// <summary>Until this step of the world a sync keeps the node from answering.</summary>
    public long BusyUntil { get; private set; }

    /// <summary>Someone made a copy of it.</summary>
    public bool HasCopy => _copy is not null;

    /// <summary>An old copy is in the place of the disk.</summary>
    public bool IsCopy => _original is not null;

    /// <summary>Makes a copy, while no process runs.</summary>
    public void Copy() => _copy = Volume.AfterKill();

    /// <summary>Puts the copy in the place of the disk.</summary>
    public void PutCopy()
    {
        (_original, Volume, _copy) = (Volume, _copy!, null);
        Volume.Fault = Fail;
    }

    /// <summary>Puts the disk back in its place.</summary>
    public void PutBack() => (Volume, _original) = (_original!, null);

    /// <summary>What is in the place of the disk is the disk from now on.</summary>
    public void KeepCopy() => _original = null;

    /// <summary>The process ends, or the whole machine with what its page cache held.</summary>
    public void Crash()
    {
        if (!IsDying && _world.Chance(0.25))
        {
            _incidents.Count(Incident.Kill);
            Volume.Kill();
        }
        else
        {
            _incidents.Count(Incident.PowerLoss);
            var survival = _world.Chance(0.2) ? Survival.None : Survival.Some(_world.Random.Next(), _world.Chance(0.25) ? 1 : 8);
            Volume.LosePower(survival, _arrived);
        }

        (IsDying, _arrived, BusyUntil) = (false, null, 0);
    }

    /// <summary>Another one, empty.</summary>
    public void Replace()
    {
        (Volume, _copy) = (new SimulatedVolume(), null);
        Begin(Volume);
    }

    /// <summary>Turns over one bit.</summary>
    public void Rot(string path, int offset) =>
        Volume.Flip(path, offset, (byte)(1 << _world.Random.Next(8)));

    private void Begin(SimulatedVolume volume)
    {
        volume.CreateDirectory(Root);
        volume.Fault = Fail;
    }

    private void Fail(Operation operation)
    {
        if (IsDying)
        {
            throw new IOException("the power is gone");
        }

        if (operation.Kind is OperationKind.Write or OperationKind.Sync or OperationKind.Create or OperationKind.SyncDirectory && _world.Chance(Trouble.Death))
        {
            Die(operation);
        }

        if (IsFull && operation.Kind is OperationKind.Create or OperationKind.SetLength)
        {
            _incidents.Count(Incident.FullDisk);
            throw new DiskFullException(operation.Path, operation.Length, new IOException("no space left on device"));
        }

        if (operation.Kind == OperationKind.Sync && _world.Chance(Trouble.FailedSync))
        {
            _incidents.Count(Incident.FailedSync);
            Volume.FailedSyncSurvival = Survival.Some(_world.Random.Next(), 8);
            throw new IOException("the sync failed");
        }

        if (operation.Kind == OperationKind.Sync && _world.Chance(Trouble.SlowSync))
        {
            _incidents.Count(Incident.SlowSync);
            BusyUntil = _world.Steps + _world.Random.Next(10, 120);
        }
    }

    private void Die(Operation operation)
    {
        IsDying = true;
        Volume.FailedSyncSurvival = Survival.Some(_world.Random.Next(), 1);
        var sectors = operation.Kind == OperationKind.Write ? _world.Random.Next((operation.Bytes!.Length / SimulatedFile.SectorBytes) + 1) : 0;
        if (sectors > 0)
        {
            // Up to a boundary of sectors of the file: within one a write is whole or not there.
            var end = ((operation.Offset / SimulatedFile.SectorBytes) + sectors) * SimulatedFile.SectorBytes;
            _arrived = (operation.File, operation.Offset, operation.Bytes!.AsSpan(0, Math.Min(end - operation.Offset, operation.Bytes!.Length)).ToArray());
            _incidents.Count(Incident.TornWrite);
        }

        throw new IOException("the power went");
    }
}
