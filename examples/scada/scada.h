// The first system: a plant whose sensors post faster than browsers can draw. Readings go into Kilat's durable ingest,
// are stored, and come out on four channels; the page shows them.
#pragma once

#include <memory>

#include "common/system.h"

namespace examples::scada {

/// Throws when its data can't be opened. Main thread.
std::unique_ptr<System> make_scada(const Settings& settings);

}  // namespace examples::scada
