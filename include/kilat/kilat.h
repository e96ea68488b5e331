// Everything for a program that has the server inside. A program that only publishes includes kilat/publisher.h.
#pragma once

#include "kilat/http.h"
#include "kilat/message.h"
#include "kilat/pusher.h"
#include "kilat/server.h"
#include "kilat/socket.h"
